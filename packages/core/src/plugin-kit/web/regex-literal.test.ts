import * as fc from "fast-check";
import { expect, test } from "vitest";
import { byPcre, byRe2 } from "../../../../../test/support/expressions.ts";
import { regexLiteral } from "./regex-literal.ts";

const seed = Number(process.env["HOSTWRIGHT_TEST_SEED"] ?? Date.now() % 2 ** 31);

test(`signs that mean something to a configuration are not in it, but for backslashes (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii" }), (value) => {
      const regex = regexLiteral(value);
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      expect(regex).not.toMatch(/["#\u0000-\u001f\u007f]|\\(?!x[0-9a-f]{2})|[$%]\{|\\$/);
      const whole = `^${regex}\\z`;
      expect(byPcre([whole], value)).not.toBeNull();
      expect(byRe2([{ every: [whole], none: [] }], value)).not.toBeNull();
    }),
    { seed },
  );
});

test("what is not valid Unicode is refused", () => {
  expect(() => regexLiteral("a\ud800")).toThrow(expect.objectContaining({ code: "HW_QUOTE_REFUSED" }));
});
