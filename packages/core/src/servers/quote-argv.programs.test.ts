import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quoteArgv } from "./quote-argv.ts";
import { ANY_CHARACTER } from "../../../testing/src/any-character.ts";

const hostile = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        "\\",
        "$",
        "`",
        "\n",
        "\t",
        "!",
        "#",
        "~",
        "*",
        "?",
        "[",
        "{",
        "}",
        "(",
        "&",
        "|",
        ";",
        "<",
        ">",
        "=",
        " ",
      ),
      fc.string({ unit: ANY_CHARACTER, minLength: 1, maxLength: 1 }),
    ),
  })
  .filter((word) => !word.includes("\0") && Buffer.from(word).toString() === word);

describe("quoteArgv", () => {
  test("the real sh takes it apart into the same words", () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 6 }), (words) => {
        const output = execFileSync("sh", ["-c", `printf '%s\\0' ${quoteArgv(words)}`]).toString();
        expect(output).toBe(words.map((word) => `${word}\0`).join(""));
      }),
      { numRuns: 150 },
    );
  });

  test("plain words stay readable", () => {
    expect(quoteArgv(["systemctl", "reload", "php8.4-fpm@x.service", "/etc/a_b", "", "it's"])).toBe(
      "systemctl reload php8.4-fpm@x.service /etc/a_b '' 'it'\\''s'",
    );
  });

  test.each(["a\0b", "\udc00", "x\ud800y"])("refuses %j", (word) => {
    expect(() => quoteArgv([word])).toThrow(expect.objectContaining({ code: "HW_QUOTE_REFUSED" }));
  });
});
