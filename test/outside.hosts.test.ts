import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "./hosts/hosts.ts";
import { diffListing } from "./hosts/listing.ts";
import { settledListing } from "./support/listing.ts";
import { OutsidePackage, type OutsideOrder } from "./support/outside-package.ts";
import { page } from "./support/page.ts";

let folder: string;
let hosts: TestHosts;
let host: TestHost;
let outside: OutsidePackage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostwright-outside-"));
  hosts = await startHosts([{ name: "web1", packages: ["memcached"] }]);
  host = hosts.host("web1");
  outside = await OutsidePackage.make(join(folder, "user"));
  const { code, stderr, told } = await outside.run(order({ work: "prepare" }));
  const core = pathToFileURL(join(folder, "user/node_modules/@hostwright/core/dist/bundle/index.js")).href;
  expect({ code, stderr, told }).toEqual({ code: 0, stderr: "", told: { core } });
});

afterAll(async () => {
  await hosts?.stop();
  await rm(folder, { recursive: true, force: true });
});

function order(change: Partial<OutsideOrder>): OutsideOrder {
  const { address, port, user, hostKey, privateKey } = host;
  return {
    work: "prepare",
    stateDir: join(folder, "state"),
    host: { address, port, user, hostKey, privateKey },
    source: resolve(import.meta.dirname, "../examples/guestbook"),
    domain: "",
    task: "",
    dieAt: null,
    ...change,
  };
}

/** Without the fences of tasks, which stay: what a killed worker has sent may still arrive. */
async function listing(): Promise<string> {
  return (await settledListing(host))
    .split("\n")
    .filter((line) => !line.includes("/var/lib/hostwright/fence"))
    .join("\n");
}

test.each<readonly [NonNullable<OutsideOrder["dieAt"]>, string]>([
  ["in the middle of", "middle.example.com"],
  ["right after", "after.example.com"],
])(
  "from packed packages, a process that is killed %s its own kind's step leaves a site that the next one makes whole or takes away",
  async (dieAt, domain) => {
    const before = await listing();
    const killed = await outside.run(order({ work: "install", domain, dieAt }));
    expect(killed).toMatchObject({ signal: "SIGKILL", stderr: "", told: { task: expect.any(String) as unknown } });
    const { task } = killed.told as { readonly task: string };
    // It had begun: one of its names is there.
    expect(await host.sh("grep sessions.internal /etc/hosts")).toContain("127.0.0.1 s");

    const { code, stderr, told } = await outside.run(order({ work: "recover", domain, task }));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(told).toMatchObject({ residue: [], noted: "web1", actions: [], problems: [], check: [] });
    const { state, site } = told as { readonly state: string; readonly site: string | null };
    if (state === "succeeded") {
      expect((await page(host, domain, "/")).body).toMatch(/of these today: \d/);
      expect(await host.sh("cat /etc/hosts")).toContain(`127.0.0.1 ${site}.sessions.internal`);
    } else {
      expect([state, site, diffListing(before, await listing())]).toEqual(["undone", null, ""]);
    }
  },
);
