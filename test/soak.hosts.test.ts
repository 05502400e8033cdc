import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { soak } from "./soak/soak.ts";

const SEED = process.env["HOSTWRIGHT_TEST_SEED"] ?? randomBytes(4).toString("hex");
const TASKS = 300;

/** Thirty times as many: `npm run test:soak`. It needs no test hosts, but its processes leave no room beside them. */
test("tasks of many sites by four worker processes, one of them killed: none lost, none done twice, each site's in order", async () => {
  const say = (line: string): boolean => process.stdout.write(`${line}\n`);
  say(`soak, short form: HOSTWRIGHT_TEST_SEED=${SEED}`);
  const extent = { seed: SEED, tasks: TASKS, workers: 4, sites: 20, backlog: 100, killEvery: { tasks: 140 } };
  const { lost, twice, outOfOrder, wrong, kills } = await soak(extent, say);
  expect({ lost, twice, outOfOrder, wrong }).toEqual({ lost: [], twice: [], outOfOrder: [], wrong: [] });
  expect(kills).toBe(2);
});
