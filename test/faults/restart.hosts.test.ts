import { setTimeout as delay } from "node:timers/promises";
import type { Listener } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIRST, LivingServer } from "../support/living-server.ts";
import { oneOf } from "../support/drawn.ts";
import { judge, Tally, type Kind } from "./judge.ts";
import { FULL } from "./scope.ts";

const DOMAIN = "restarted.example.com";

let living: LivingServer;
const tally = new Tally();

/** The test hosts' databases do not sync, for speed: here they do, as a real server's does. */
const DURABLE = `printf '[mariadbd]\\ninnodb_flush_log_at_trx_commit = 1\\ndebug_no_sync = 0\\n' > /etc/mysql/mariadb.conf.d/99-durable.cnf
systemctl restart mariadb && sync`;

beforeAll(async () => {
  living = await LivingServer.start({ spec: { ownDisk: "3G" }, restarts: true });
  await living.host.sh(DURABLE);
  await living.remember();
});

afterAll(async () => {
  tally.print("a restart, a loss of power");
  await living?.[Symbol.asyncDispose]();
});

async function content(domain: string): Promise<string> {
  const { id } = await living.hw.sites.get(domain);
  return living.host.sh(
    `cd /srv/sites/${id}/public && find . -type f ! -path '*/uploads/*' -printf '%s %p\\n' | LC_ALL=C sort -k2`,
  );
}

const HOW = {
  reboot: async () => living.host.reboot(),
  "loses its power": async () => {
    await living.host.losePower();
    await living.host.start();
  },
} as const;
type How = keyof typeof HOW;

/**
 * `ms` after the beginning of an action; or at its end, or (with any action) at the commit: then nothing is sent until the
 * host is back.
 */
type Point = readonly [how: How, kind: Kind, action: number, when: "after" | "commit" | number];

const between = (how: How, kind: Kind, actions: readonly number[]): readonly Point[] =>
  actions.map((action) => [how, kind, action, "after"]);
const within = (how: How, kind: Kind, actions: readonly number[], times: readonly number[]): readonly Point[] =>
  actions.flatMap((action) => times.map((ms) => [how, kind, action, ms] as const));

const POINTS: readonly Point[] = FULL
  ? [
      ["loses its power", "install", 5, "commit"],
      ["loses its power", "delete", 1, "commit"],
      ...between("loses its power", "install", [0, 1, 2, 3, 4, 5]),
      ...within("loses its power", "install", [0, 1, 2, 3, 4], [20, 90, 250]),
      ...between("loses its power", "delete", [0, 1, 2, 3]),
      ...within("loses its power", "delete", [0, 1, 2, 3], [20, 90]),
      ...between("reboot", "install", [0, 1, 2, 3, 4, 5]),
      ...within("reboot", "install", [0, 1, 3, 4], [20]),
      ...between("reboot", "delete", [0, 1, 2, 3]),
    ]
  : [
      ...oneOf<Point>([
        ["loses its power", "install", 5, "commit"],
        ["loses its power", "delete", 1, "commit"],
      ]),
      ...oneOf<Point>([
        ["loses its power", "install", 3, "after"],
        ["reboot", "install", 3, 20],
      ]),
    ];

describe("a host that", () => {
  test.each(POINTS)("%s during %s, action %i + %s: whole, or as it was", async (how, kind, action, when) => {
    let struck = false;
    const onEvent: Listener = (event) => {
      const type = when === "commit" ? "task:committed" : when === "after" ? "action:finished" : "action:started";
      if (struck || event.type !== type || ("action" in event.payload && event.payload.action !== action)) return;
      struck = true;
      if (typeof when === "string") living.gate.while(HOW[how]);
      else strike = delay(when).then(HOW[how]);
    };
    let strike: Promise<unknown> = Promise.resolve();
    const restore = async (): Promise<void> => {
      await strike;
      // What visitors of a committed site need is all there, the application's own files included.
      if (when === "commit" && kind === "install") expect(await content(DOMAIN)).toBe(await content(FIRST));
    };
    const outcome = await judge(living, kind, DOMAIN, { onEvent, restore });
    tally.add(outcome);
    expect(struck).toBe(true);
    // The one thing that is made after the commit, and is asked for again.
    expect(outcome.residue.filter(({ key }) => !key.includes("login link"))).toEqual([]);
  });
});
