import * as fc from "fast-check";
import { expect, test } from "vitest";
import { quoteLiteral, quoteToken } from "../src/quote.ts";

const refused = expect.objectContaining({ code: "HW_QUOTE_REFUSED" }) as unknown;

test.each(["a\nb", "a\0b", "a\rb", "a\u001bb", "\ud800", "x".repeat(4000)])(
  "what nginx has no safe form for is refused: %j",
  (value) => {
    expect(() => quoteToken(value)).toThrow(refused);
  },
);

test("a literal never reaches a variable", () => {
  expect(() => quoteLiteral("/srv/$host")).toThrow(refused);
  expect(quoteLiteral("/srv", "$uri")).toBe('"/srv$uri"');
});

test("a quoted token reads back as the same text by nginx's rules, and ends where it should", () => {
  const readBack = (token: string): string => {
    const [, inner = ""] = /^"((?:\\[^]|[^"\\])*)"$/.exec(token) ?? [];
    return inner.replace(/\\(["'\\])/g, "$1");
  };
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("\\", '"', "'", "{", "}", ";", " ", "n", "t", "#", "é") }),
      (value) => {
        expect(readBack(quoteToken(value))).toBe(value);
      },
    ),
  );
});
