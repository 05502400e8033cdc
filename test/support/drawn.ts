import { SEED } from "@hostwright/testing";
import { test } from "vitest";
import { FULL } from "../faults/scope.ts";

/**
 * Declares the tests of a file that has many alike: the short form runs one in `share`, from one that is drawn on, and counts
 * the others as skipped; `npm run test:full` runs all.
 */
export function oneIn(share: number): (name: string, work: () => Promise<unknown>) => void {
  let place = SEED % share;
  return (name, work) => {
    place += 1;
    const runs = FULL || place % share === 0;
    test.for([name])("%s", async (_name, context) => {
      if (!runs) context.skip(`not drawn by HOSTWRIGHT_TEST_SEED=${SEED}; npm run test:full runs it`);
      await work();
    });
  };
}

/** Of kinds that are tried alike the short form takes one, which is drawn; `npm run test:full` takes all. */
export function oneOf<Kind>(kinds: readonly Kind[]): readonly Kind[] {
  if (FULL) return kinds;
  process.stdout.write(`one of ${kinds.length} kinds, drawn with HOSTWRIGHT_TEST_SEED=${SEED}\n`);
  return kinds.slice(SEED % kinds.length).slice(0, 1);
}
