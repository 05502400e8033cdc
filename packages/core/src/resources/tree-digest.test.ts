import * as fc from "fast-check";
import { expect, test } from "vitest";
import { byBytes } from "./tree-digest.ts";

test("names are put in the order of their bytes, whatever their letters: digests made before stay as they are", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "/", "\u00e9", "\ud7ff", "\ue000", "\uff5e", "\u{1f600}") });
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(Math.sign(byBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});
