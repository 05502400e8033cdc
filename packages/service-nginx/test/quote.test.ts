import * as fc from "fast-check";
import { expect, test } from "vitest";
import { quoteLiteral, quoteToken, serverName, unixSocket } from "../src/quote.ts";

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

test.each(["_", "", "~^.*$", "a b", "a;", "*", "*.", "A.test", ".a.test", "a.*", "$host"])(
  "%j is no server name",
  (name) => {
    expect(() => serverName(name)).toThrow(refused);
  },
);

test("host names and wildcards are", () => {
  expect(["a.test", "xn--bcher-kva.example", "*.a.test"].map(serverName)).toEqual([
    "a.test",
    "xn--bcher-kva.example",
    "*.a.test",
  ]);
});

test.each(["relative.sock", "/run/a:b.sock", "/run/$x", "/run/a b"])("%j is no socket", (path) => {
  expect(() => unixSocket(path)).toThrow(refused);
});
