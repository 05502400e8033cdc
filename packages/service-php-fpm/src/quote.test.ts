import { isHostwrightError } from "@hostwright/core/plugin";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { iniValue } from "./quote.ts";
import { ANY_CHARACTER } from "../../testing/src/any-character.ts";

function refusal(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return isHostwrightError(error) ? error.code : "not a HostwrightError";
  }
}

describe("a value in PHP's configuration", () => {
  test("never leaves its quotes and never expands", () => {
    fc.assert(
      fc.property(fc.string({ unit: ANY_CHARACTER }), (value) => {
        const refused = refusal(() => iniValue(value)) !== undefined;
        const safe = refused ? /["\\${}]|\p{Cc}/u.test(value) : /^"[^"\\${}\n\r]*"$/.test(iniValue(value));
        expect(safe).toBe(true);
      }),
    );
  });

  test("writes numbers and switches bare", () => {
    expect([iniValue(5), iniValue(true), iniValue(false)]).toEqual(["5", "1", "0"]);
  });
});
