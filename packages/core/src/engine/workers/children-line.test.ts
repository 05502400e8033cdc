import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { TaskState } from "../../contracts/store.ts";
import type { PlannedChildren } from "../planning/plan.ts";
import { ChildrenLine } from "./children-line.ts";

const ENDS: readonly TaskState[] = ["succeeded", "undone", "needs-attention"];
const OPEN: readonly TaskState[] = ["queued", "running", "cancelling", "undoing"];

const cases = fc.record({
  total: fc.integer({ min: 0, max: 40 }),
  concurrency: fc.integer({ min: 1, max: 8 }),
  stopAfter: fc.option(fc.integer({ min: 1, max: 5 })),
  // Of those that are open the one at that place, and what is seen of it.
  seen: fc.infiniteStream(fc.tuple(fc.nat(), fc.constantFrom(...OPEN, ...ENDS, ...ENDS))),
});

test("children are put into the line in order, never more at once than asked, none after enough failures, and all else", () => {
  fc.assert(
    fc.property(cases, ({ total, concurrency, stopAfter, seen }) => {
      const list = Array.from({ length: total }, (_, place) => ({ title: `${place}`, request: { type: "a:b" } }));
      const line = new ChildrenLine({ list, concurrency, stopAfter } satisfies PlannedChildren);
      const submitted: number[] = [];
      let failed = 0;
      for (let turn = 0; turn < 1_000; turn++) {
        for (let next = line.next; next !== null; next = line.next) {
          expect(failed < (stopAfter ?? Infinity)).toBe(true);
          submitted.push(next);
          line.submitted(`t${next}`);
        }
        const open = line.open.map(([, place]) => place);
        expect(open).toEqual(open.toSorted((a, b) => a - b));
        expect(open.length).toBeLessThanOrEqual(concurrency);
        if (open.length === 0) break;
        // As many as may be, unless it is stopped or none is left.
        expect(line.isStopped || submitted.length === total || open.length === concurrency).toBe(true);
        const one = seen.next();
        if (one.done === true) break;
        const [at, state] = one.value;
        const place = open[at % open.length] ?? 0;
        expect(line.note(`t${place}`, state)).toBe(ENDS.includes(state));
        if (state === "undone" || state === "needs-attention") failed++;
        expect([line.failed, line.ended]).toEqual([failed, submitted.length - line.open.length]);
      }
      expect(submitted).toEqual(list.slice(0, submitted.length).map((_, place) => place));
      if (line.open.length === 0) expect(line.isOver || line.isStopped).toBe(true);
      if (line.isStopped) expect(failed).toBeGreaterThanOrEqual(stopAfter ?? Infinity);
    }),
    { numRuns: 300 },
  );
});

test("a child whose row is gone has failed, as far as anybody knows", () => {
  const line = new ChildrenLine({ list: [{ title: "a", request: { type: "a:b" } }], concurrency: 1, stopAfter: 1 });
  line.submitted("t0");
  expect(line.note("t0", null)).toBe(true);
  expect([line.isStopped, line.isOver]).toEqual([true, true]);
});
