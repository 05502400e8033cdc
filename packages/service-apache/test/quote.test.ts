import * as fc from "fast-check";
import { expect, test } from "vitest";
import { quoteArgument, quoteHeader, quoteTarget } from "../src/quote.ts";

const refused = expect.objectContaining({ code: "HW_QUOTE_REFUSED" }) as unknown;

test.each(["a\nb", "a\0b", "a\rb", "a\u001bb", "\ud800"])(
  "what Apache has no safe form for is refused: %j",
  (value) => {
    expect(() => quoteArgument(value)).toThrow(refused);
  },
);

test.each(["a$1", "a\\", 'a"', "a b", "${X}"])("%j is no target of a redirect", (value) => {
  expect(() => quoteTarget(value)).toThrow(refused);
});

test.each(["a$b", "a\\b", "expr=%{ENV:X}", "EXPR=1"])("%j is no value of a header", (value) => {
  expect(() => quoteHeader(value)).toThrow(refused);
});

test("percent signs are no variables", () => {
  expect(quoteTarget("/a%20b")).toBe("/a\\%20b");
  expect(quoteHeader("100%")).toBe('"100%%"');
});

test("an argument reads back as the same text by Apache's rules, and ends where it should", () => {
  const readBack = (argument: string): string => {
    const [, inner = ""] = /^"((?:\\"|[^"])*)"$/.exec(argument) ?? [];
    return inner.replaceAll('\\"', '"');
  };
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', "'", "{", ">", "<", ";", " ", "n", "#", "é") }), (value) => {
      expect(readBack(quoteArgument(value))).toBe(value);
    }),
  );
});
