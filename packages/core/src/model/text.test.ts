import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  QUOTES,
  quoted,
  quoteValue,
  referencesOf,
  resolveText,
  showText,
  text,
  textOf,
  type Reference,
} from "./text.ts";

const password: Reference = { ref: "secret", id: "site/s1/db-password", label: "db password" };
const hostile = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom("\\", "'", '"', "$", "{", "}", "\n", "\r", "?", ">", "<", ";", "*", "/", "a") }),
);
const withoutNul = hostile.filter((value) => !value.includes("\0"));

/** Reads a PHP single-quoted literal as PHP's manual describes it; null unless the whole text is exactly one literal. */
function readPhp(literal: string): string | null {
  if (!literal.startsWith("'")) return null;
  let value = "";
  for (let at = 1; at < literal.length; at++) {
    const character = literal.charAt(at);
    if (character === "'") return at === literal.length - 1 ? value : null;
    const next = literal.charAt(at + 1);
    if (character === "\\" && (next === "\\" || next === "'")) {
      value += next;
      at++;
    } else value += character;
  }
  return null;
}

function reads(judge: (value: string) => void): void {
  fc.assert(fc.property(withoutNul, judge));
}

describe("quoting", () => {
  test("the reader that judges PHP literals is no pushover", () => {
    expect(readPhp(String.raw`'it\'s \\ \n'`)).toBe(String.raw`it's \ \n`);
    expect(readPhp("'a'.system('id').'b'")).toBeNull();
    expect(readPhp(String.raw`'open\'`)).toBeNull();
  });

  test("a value is one PHP literal, and PHP reads it as it was", () => {
    reads((value) => {
      expect(readPhp(quoteValue(value, "php"))).toBe(value);
    });
  });

  test("a value is one JSON literal, and is read as it was", () => {
    reads((value) => {
      expect(JSON.parse(quoteValue(value, "json"))).toBe(value);
    });
  });

  test("a value is one double-quoted word of a file of variables, read as it was, or is refused", () => {
    reads((value) => {
      if (!value.isWellFormed() || /[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(value)) {
        expect(() => quoteValue(value, "environment-file")).toThrow(
          expect.objectContaining({ code: "HW_QUOTE_REFUSED" }),
        );
        return;
      }
      const [, inside = ""] = /^"((?:[^"\\`$]|\\["\\`$])*)"$/su.exec(quoteValue(value, "environment-file")) ?? [];
      expect(inside.replaceAll(/\\(.)/gsu, "$1")).toBe(value);
    });
  });

  test("without quoting a value stays as it is", () => {
    reads((value) => {
      expect(quoteValue(value, "none")).toBe(value);
    });
  });

  test.each(QUOTES)("a NUL byte has no safe form in %s, and its value is not repeated", (quote) => {
    expect(() => quoteValue("hush\0", quote)).toThrow(expect.objectContaining({ code: "HW_QUOTE_REFUSED" }));
    expect(() => quoteValue("hush\0", quote)).not.toThrow("hush");
  });
});

describe("text with references", () => {
  test("is a plain string when it has none", () => {
    expect(text`listen ${"80"};`).toBe("listen 80;");
    expect(textOf([])).toBe("");
    expect(referencesOf("plain")).toEqual([]);
  });

  test("shows the label and never the value, and resolves to the quoted value", () => {
    const line = text`$password = ${quoted(password, "php")};`;
    expect(showText(line)).toBe("$password = <db password>;");
    expect(JSON.stringify(line)).not.toContain("hush");
    expect(resolveText(line, () => "hu'sh")).toBe(String.raw`$password = 'hu\'sh';`);
  });

  test("quoting a reference leaves the reference itself as it was", () => {
    quoted(password, "php");
    expect(password.quote).toBeUndefined();
  });

  test("put together from pieces it reads like the pieces one after the other, each asked for once", () => {
    const piece = fc.oneof(
      fc.string(),
      fc.string({ minLength: 1 }).map((id): Reference => ({ ref: "secret", id, label: id })),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(piece), (first, second) => {
        const asked: string[] = [];
        const whole = text`<${textOf(first)}|${textOf(second)}>`;
        const read = resolveText(whole, ({ id }) => {
          asked.push(id);
          return `[${id}]`;
        });
        const plain = (list: readonly (string | Reference)[]): string =>
          list.map((part) => (typeof part === "string" ? part : `[${part.id}]`)).join("");
        expect(read).toBe(`<${plain(first)}|${plain(second)}>`);
        expect(asked).toEqual([...first, ...second].flatMap((part) => (typeof part === "string" ? [] : [part.id])));
        expect(referencesOf(whole).map(({ id }) => id)).toEqual(asked);
      }),
    );
  });
});
