import { expect, test } from "vitest";
import { scramVerifier } from "../src/password.ts";

test("the same password of the same role is kept alike, and tells neither", () => {
  const verifier = scramVerifier("s1", "a password");
  expect(verifier).toMatch(/^SCRAM-SHA-256\$100:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/);
  expect(scramVerifier("s1", "a password")).toBe(verifier);
  expect(scramVerifier("s2", "a password")).not.toBe(verifier);
  expect(scramVerifier("s1", "another")).not.toBe(verifier);
});

test.each(["", "\0", "a\0", "pässword"])(
  "a password that no login would be the same with is refused: %j",
  (password) => {
    expect(() => scramVerifier("s1", password)).toThrow(expect.objectContaining({ code: "HW_QUOTE_REFUSED" }) as Error);
  },
);
