import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect } from "vitest";
import { CASES } from "./crash/cases.ts";
import { CrashMatrix } from "./crash/matrix.ts";
import { runCase } from "./crash/run-matrix.ts";
import { oneIn } from "./support/drawn.ts";

const SEED = process.env["HOSTWRIGHT_TEST_SEED"] ?? randomBytes(4).toString("hex");
const POINTS = 3;

let matrix: CrashMatrix;

beforeAll(async () => {
  process.stdout.write(`crash matrix, short form: HOSTWRIGHT_TEST_SEED=${SEED}\n`);
  matrix = await CrashMatrix.start();
});

afterAll(async () => matrix?.[Symbol.asyncDispose]());

const drawn = oneIn(12);

/** All points of all tasks: `npm run test:crash`. Each case takes two minutes. */
for (const crashCase of CASES) {
  drawn(`${crashCase.name}: whole old or whole new, wherever its worker dies`, async () => {
    const extent = { seed: SEED, at: "", points: POINTS, doubles: 0 };
    const { failed, tried } = await runCase(matrix, crashCase, extent, () => undefined);
    expect(failed).toEqual([]);
    expect(tried).toBe(POINTS);
  });
}
