import { expect, test } from "vitest";
import { paced } from "./pace.ts";

/** How often a transfer of so many seconds is told, which comes on ten times a second. */
function told(seconds: number): { readonly times: number; readonly shortest: number } {
  const at: number[] = [];
  let now = 0;
  const tell = paced(
    (ms: number) => at.push(ms),
    () => now,
  );
  for (; now <= seconds * 1000; now += 100) tell(now);
  return { times: at.length, shortest: Math.min(...at.map((ms, index) => ms - (at[index - 1] ?? 0))) };
}

test("something is told at most once a second, and further apart the longer it lasts", () => {
  expect(told(30)).toEqual({ times: 30, shortest: 1000 });
  expect(told(10 * 60 * 60).times).toBeLessThan(500);
  expect(told(24 * 60 * 60).times - told(12 * 60 * 60).times).toBeLessThan(50);
});
