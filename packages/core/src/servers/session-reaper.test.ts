import { expect, test } from "vitest";
import { SessionReaper } from "./session-reaper.ts";

test("who asks twice for the end of one session is told twice", async () => {
  const reaper = new SessionReaper(async () => "");
  expect(await Promise.all([reaper.end(7), reaper.end(7)])).toEqual([true, true]);
});

test("what cannot be ended is told after its times, not waited for", async () => {
  const asked: string[] = [];
  const living = new SessionReaper(
    async (requests) => {
      asked.push(...requests);
      return "7\n";
    },
    { graceMs: 0, killedMs: 0 },
  );
  expect(await living.end(7)).toBe(false);
  expect(asked).toEqual(["KILL:7"]);
});

test("all who wait are told when nothing can be asked, and the next one asks anew", async () => {
  let answers = false;
  const reaper = new SessionReaper(async () => {
    if (answers) return "";
    throw new Error("it does not answer");
  });
  await expect(Promise.allSettled([reaper.end(1), reaper.end(2)])).resolves.toMatchObject([
    { status: "rejected" },
    { status: "rejected" },
  ]);
  answers = true;
  expect(await reaper.end(1)).toBe(true);
});
