import { setTimeout as delay } from "node:timers/promises";
import { deleteSite, verify, type HostwrightEvent, type Listener } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BROKEN, brokenNginx, faulty } from "./support/faulty-plugins.ts";
import { LivingServer } from "./support/living-server.ts";
import { page } from "./support/page.ts";
import { expectRefusedAtPlanning, expectUndone } from "./support/refusal.ts";

const NEW = "new.example.com";
const SPACE = /no space left|No space left/;

let living: LivingServer;

beforeAll(async () => {
  living = await LivingServer.start({ http: brokenNginx, plugins: [faulty], spec: { smallDisks: { "/srv": "320M" } } });
  const source = { path: living.codebases["6.1"] };
  await living.hw.platforms.put({ name: "faulty", server: "web1", type: faulty.platform(), source });
  await living.hw.run(verify("faulty"));
  await living.hw.platforms.put({ name: "second", server: "web1", type: wordpress.platform(), source });
  await living.remember();
});

afterAll(async () => living?.[Symbol.asyncDispose]());

/** Does something at the moment when an action begins, or fails; servers hear nothing until it is done. */
function at(type: "action:started" | "action:failed", title: RegExp, work: () => Promise<unknown>): Listener {
  let done = false;
  return (event: HostwrightEvent) => {
    if (done || event.type !== type || !title.test(event.payload.title)) return;
    done = true;
    living.gate.while(work);
  };
}

const begins = (title: RegExp, work: () => Promise<unknown>): { readonly onEvent: Listener } => ({
  onEvent: at("action:started", title, work),
});

const PUBLISH_PLATFORM = /^publish platform/;
const DATABASE = /^database and account/;
const FOLDERS = /^user, folders/;
const CONTENT = /^first content/;
const INSTALLER = /^installer/;
const PUBLISH = /^publish new/;

describe("a full disk of the web server", () => {
  test("before the release is copied", async () => {
    await using _full = await living.host.fillDisk("/srv");
    await expectUndone(living, living.install(NEW, { platform: "second" }), { code: "HW_DISK_FULL", names: ["web1", SPACE] });
  });

  test("in the middle of the copy", async () => {
    await living.host.sh("fallocate -l $(( $(stat -f -c '%a * %S' /srv) - 20000000 )) /srv/filler");
    await expectUndone(living, living.install(NEW, { platform: "second" }), { code: "HW_DISK_FULL", names: ["web1", SPACE] });
  });

  test("when the site's folders and settings are made", async () => {
    const full = begins(FOLDERS, async () => living.host.fillDisk("/srv"));
    const expected = { code: "HW_DISK_FULL", names: ["web1", "/srv/sites/"] } as const;
    await expectUndone(living, living.install(NEW), expected, full);
  });
});
