import { expect, it } from "vitest";
import type { Lease } from "../contracts/store.ts";
import { HolderWatch } from "./holder-watch.ts";
import { processHolder } from "./holder.ts";

const lease = (change: Partial<Lease> = {}): Lease => ({
  scope: "site/s1",
  mode: "exclusive",
  task: "t1",
  token: 1,
  holder: processHolder(),
  heartbeat: 0,
  lifeMs: 100,
  ...change,
});

it("takes a holder for dead only after its heartbeat stood still for the time of its lease, as seen by this observer", () => {
  let now = 1000;
  const watch = new HolderWatch("machine", () => now);
  const isDead = (one: Lease): boolean => watch.dead([one]).has(one);
  expect(isDead(lease())).toBe(false);
  now = 1099;
  expect(isDead(lease())).toBe(false);
  expect(isDead(lease({ heartbeat: 1 }))).toBe(false);
  now = 1149;
  expect(isDead(lease({ heartbeat: 1 }))).toBe(false);
  now = 1198;
  expect(isDead(lease({ heartbeat: 1 }))).toBe(false);
  now = 1199;
  expect(isDead(lease({ heartbeat: 1 }))).toBe(true);
  expect(isDead(lease({ heartbeat: 1, token: 2 }))).toBe(false);
});

it("forgets a lease that is gone, and counts anew when it comes back", () => {
  let now = 0;
  const watch = new HolderWatch("machine", () => now);
  watch.dead([lease()]);
  now = 90;
  watch.dead([]);
  watch.dead([lease()]);
  now = 150;
  expect(watch.dead([lease()]).size).toBe(0);
});

it("takes a holder for dead at once when its process is gone", () => {
  const gone = lease({ holder: "1:1:00000000-0000-0000-0000-000000000000" });
  expect(new HolderWatch("machine").dead([gone, lease()])).toEqual(new Set([gone]));
});

it("judges each holder by what its own lease promises", () => {
  let now = 0;
  const watch = new HolderWatch("machine", () => now);
  const hasty = lease();
  const slow = lease({ scope: "site/s2", task: "t2", lifeMs: 500 });
  for (now = 0; now < 490; now += 49) watch.dead([hasty, slow]);
  now = 499;
  expect(watch.dead([hasty, slow])).toEqual(new Set([hasty]));
  now = 500;
  expect(watch.dead([hasty, slow])).toEqual(new Set([hasty, slow]));
});

it("of a store that several machines have, takes nobody for gone who may be on another one", () => {
  const [pid = "", start = "", , namespace = ""] = processHolder().split(":");
  const elsewhere = lease({ holder: `${pid}:${start}:00000000-0000-4000-8000-000000000000:${namespace}:0a0b` });
  const gone = lease({ holder: processHolder().replace(/:\d+:/, ":1:") });
  let now = 0;
  expect(new HolderWatch("machine", () => now).dead([elsewhere, gone])).toEqual(new Set([elsewhere, gone]));
  const watch = new HolderWatch("network", () => now);
  expect(watch.dead([elsewhere, gone])).toEqual(new Set([gone]));
  now = 50;
  expect(watch.dead([elsewhere])).toEqual(new Set());
  now = 100;
  expect(watch.dead([elsewhere])).toEqual(new Set([elsewhere]));
});

it("does not take a holder for dead because the store could not be reached: neither could it beat", () => {
  let now = 0;
  const watch = new HolderWatch("network", () => now);
  const isDead = (one: Lease): boolean => watch.dead([one]).has(one);
  isDead(lease());
  now = 10_000;
  expect(isDead(lease())).toBe(false);
  now = 10_040;
  expect(isDead(lease({ heartbeat: 1 }))).toBe(false);
  // One that beats no more is found all the same.
  now = 20_000;
  expect(isDead(lease({ heartbeat: 1 }))).toBe(false);
  now = 20_050;
  expect(isDead(lease({ heartbeat: 1 }))).toBe(true);
});
