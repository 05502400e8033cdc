import { setTimeout as delay } from "node:timers/promises";
import type { Listener } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LivingServer } from "../support/living-server.ts";
import { judge, Tally, type Kind } from "./judge.ts";
import { FULL } from "./scope.ts";

const DOMAIN = "hindered.example.com";

let living: LivingServer;
const tally = new Tally();

beforeAll(async () => {
  living = await LivingServer.start({ spec: { smallDisks: { "/srv": "320M", "/etc/hostwright": "16M" } } });
});

afterAll(async () => {
  tally.print("services and disks");
  await living?.[Symbol.asyncDispose]();
});

const sh = async (script: string): Promise<string> => living.host.sh(script);

/** Hinders a task from the beginning of an action on, until that has failed (and its undo finds all well) or until its end. */
async function hindered(
  [kind, action]: readonly [Kind, number],
  hinder: string,
  restore: string,
  until: "failed" | "end" = "failed",
): Promise<Awaited<ReturnType<typeof judge>>> {
  let [begun, over] = [false, false];
  const free = async (): Promise<void> => {
    if (over) return;
    over = true;
    await sh(restore);
  };
  const onEvent: Listener = (event) => {
    if (!begun && event.type === "action:started" && event.payload.action === action) {
      begun = true;
      living.gate.while(async () => sh(hinder));
      // Clean-ups have no other end than their retry policy's: what hinders them goes by itself.
      if (kind === "delete" && action > 1) void delay(4_000).then(free);
    } else if (begun && until === "failed" && (event.type === "action:failed" || event.type === "action:finished")) {
      living.gate.while(free);
    }
  };
  const outcome = await judge(living, kind, DOMAIN, { onEvent, restore: free });
  expect(begun).toBe(true);
  tally.add(outcome);
  return outcome;
}

const EVERY: readonly (readonly [Kind, number])[] = [
  ...Array.from({ length: 6 }, (_, action) => ["install", action] as const),
  ...Array.from({ length: 4 }, (_, action) => ["delete", action] as const),
];

describe("a database that is stopped", () => {
  test.each(FULL ? EVERY : EVERY.filter(([, action]) => action === 3))("at %s, action %i", async (...point) => {
    const outcome = await hindered(point, "systemctl stop mariadb", "systemctl start mariadb");
    expect(outcome.residue).toEqual([]);
  });
});

describe("a disk that is full", () => {
  const fill = (path: string): string =>
    `free=$(( $(stat -f -c '%a * %S' ${path}) )); [ $free -le 0 ] || fallocate -l $free ${path}/.filler`;
  const points = FULL
    ? EVERY.flatMap((point) => ["/srv", "/etc/hostwright"].map((path) => [path, point] as const))
    : [];
  const few = [
    ["/srv", ["install", 1]],
    ["/etc/hostwright", ["install", 4]],
    ["/etc/hostwright", ["delete", 0]],
  ] as const;

  test.each([...points, ...(FULL ? [] : few)])("%s at %s", async (path, point) => {
    const outcome = await hindered(point, fill(path), `rm -f ${path}/.filler`);
    expect(outcome.residue).toEqual([]);
  });
});

describe("a folder that cannot be written", () => {
  const readOnly = (path: string): string => `mount --bind ${path} ${path} && mount -o remount,bind,ro ${path}`;
  const places = [
    ["/srv/sites", 1],
    ["/etc/systemd/system", 1],
    ["/etc/hostwright/php", 1],
    ["/etc/hostwright/nginx", 4],
    ["/var/lib/hostwright", 3],
  ] as const;

  test.each(FULL ? places : places.slice(1, 2))(
    "%s, until the action has failed: all is taken back",
    async (path, action) => {
      const outcome = await hindered(["install", action], readOnly(path), `umount ${path}`);
      expect(outcome).toMatchObject({ state: "undone", residue: [] });
    },
  );

  test.each(places.slice(0, FULL ? 4 : 1))("%s, and its undo neither: what is left is listed exactly", async (path) => {
    // Made before, and not to be taken back.
    const outcome = await hindered(["install", 3], readOnly(path), `umount ${path}`, "end");
    expect(["needs-attention", "succeeded"]).toContain(outcome.state);
  });
});
