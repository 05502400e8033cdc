import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { playRounds } from "./kills/play.ts";

const SEED = process.env["HOSTWRIGHT_TEST_SEED"] ?? randomBytes(4).toString("hex");
const ROUNDS = 2;

/** Many more: `npm run test:kills`. */
test("workers that are killed and stopped at random times leave everything whole old or whole new", async () => {
  const say = (line: string): boolean => process.stdout.write(`${line}\n`);
  say(`kills, short form: HOSTWRIGHT_TEST_SEED=${SEED}`);
  const { failed, whole } = await playRounds(SEED, { from: 1, to: ROUNDS }, say);
  expect(failed).toEqual([]);
  expect(whole).toBe(ROUNDS);
});
