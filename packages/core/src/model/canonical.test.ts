import { assert, jsonValue, nat, property } from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, canonicalPieces } from "./canonical.ts";

test("pieces make the same text, however deep they go", () => {
  assert(
    property(jsonValue(), nat({ max: 6 }), (value, depth) => {
      expect([...canonicalPieces(value, depth)].join("")).toBe(canonicalJson(value));
    }),
  );
  const odd = { b: undefined, a: [undefined, new Date(0)], "": () => 1 };
  for (const depth of [0, 1, 2, 3]) expect([...canonicalPieces(odd, depth)].join("")).toBe(canonicalJson(odd));
});
