import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { account, grantPattern, identifier, literal } from "../src/quote.ts";

const refused = expect.objectContaining({ code: "HW_QUOTE_REFUSED" });
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom("'", '"', "`", "\\", "_", "%", ";", "-", "#", "/", "*", "\n", "\0", " ", "é"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 40,
});

const ESCAPED: Readonly<Record<string, string>> = { b: "\b", n: "\n", r: "\r", t: "\t", Z: "\u001a" };

/** Reads a literal as the server does without NO_BACKSLASH_ESCAPES; null unless it ends exactly at the end of the text. */
function readLiteral(text: string): string | null {
  if (!text.startsWith("'")) return null;
  let value = "";
  for (let at = 1; at < text.length; at += 1) {
    const character = text[at];
    if (character === "'") return at === text.length - 1 ? value : null;
    if (character === "\\") at += 1;
    const next = text[at] ?? "";
    value += character === "\\" ? (ESCAPED[next] ?? next) : next;
  }
  return null;
}

/** Does the pattern of a grant match the name? As the server's wild_compare. */
function matches(pattern: string, name: string): boolean {
  const [first = "", second = ""] = pattern;
  if (pattern === "") return name === "";
  if (first === "\\" && second !== "") return name[0] === second && matches(pattern.slice(2), name.slice(1));
  if (first === "%")
    return Array.from({ length: name.length + 1 }, (_, skip) => skip).some((skip) =>
      matches(pattern.slice(1), name.slice(skip)),
    );
  return name !== "" && (first === "_" || first === name[0]) && matches(pattern.slice(1), name.slice(1));
}

describe("a string literal", () => {
  test("reads back as the value and ends where it should", () => {
    fc.assert(
      fc.property(
        hostile.filter((value) => !value.includes("\0")),
        (value) => {
          expect(readLiteral(literal(value))).toBe(value);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each(["\ud83d", "a\0b"])("%j is refused", (value) => {
    expect(() => literal(value)).toThrow(refused);
  });
});

describe("an identifier", () => {
  test("reads back as the name", () => {
    const storable = hostile.filter(
      (name) => name !== "" && !name.endsWith(" ") && !/[\0\ud800-\udfff]/.test(name) && name.length <= 64,
    );
    fc.assert(
      fc.property(storable, (name) => {
        expect(identifier(name)).toMatch(/^`(?:[^`\0]|``)+`$/);
        expect(identifier(name).slice(1, -1).replaceAll("``", "`")).toBe(name);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(["", "a\0b", "a ", "😀", "x".repeat(65)])("%j is refused", (name) => {
    expect(() => identifier(name)).toThrow(refused);
  });
});

describe("a database's name in a grant", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "x", "_", "%", "\\"), minLength: 1, maxLength: 8 });

  test("matches that database and no other", () => {
    fc.assert(
      fc.property(name, name, (granted, other) => {
        const pattern = grantPattern(granted).slice(1, -1);
        expect(matches(pattern, granted)).toBe(true);
        expect(matches(pattern, other)).toBe(granted === other);
      }),
      { numRuns: 5000 },
    );
  });

  test("is refused when its escapes make it longer than the server keeps", () => {
    expect(() => grantPattern("_".repeat(33))).toThrow(refused);
    expect(grantPattern("_".repeat(32))).toHaveLength(66);
  });
});

test("an account is two literals", () => {
  expect(account("o'x", "::1")).toBe("'o\\'x'@'::1'");
});

test("a refused value is not repeated: it may be a secret", () => {
  expect(() => literal("hunter2\0")).toThrow(/^(?!.*hunter2).*cannot be written safely/);
});
