import { expect, test } from "vitest";
import { Hold } from "./hold.ts";

test("what nobody needs keeps no process alive, and what somebody needs does until the last has let go, once each", () => {
  let keeps = true;
  const hold = new Hold({ ref: () => (keeps = true), unref: () => (keeps = false) });
  expect(keeps).toBe(false);
  const [one, two] = [hold.take(), hold.take()];
  expect(keeps).toBe(true);
  one();
  one();
  expect(keeps).toBe(true);
  two();
  expect(keeps).toBe(false);
  hold.take();
  expect(keeps).toBe(true);
});
