import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isHostwrightError } from "../../errors/hostwright-error.ts";
import { safeId, safePath, unitValue } from "./quote.ts";

function refusal(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return isHostwrightError(error) ? error.code : "not a HostwrightError";
  }
}

describe("a value in a unit file", () => {
  test("means the same to systemd, which reads %% as %", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (value) => {
        fc.pre(value === value.trim() && !value.endsWith("\\"));
        expect(unitValue(value).replaceAll("%%", "%")).toBe(value);
        expect(unitValue(value).replaceAll("%%", "")).not.toContain("%");
      }),
    );
  });

  test.each(["a\nExecStart=/bin/sh", "a\r", "a\0", "ends with \\", " leading", "\u0085"])(
    "is refused when it is %j",
    (value) => {
      expect(refusal(() => unitValue(value))).toBe("HW_QUOTE_REFUSED");
    },
  );
});

describe("a path", () => {
  test.each(["/srv/sites/s1", "/srv/platforms/wp-6.8", "/a%b/~c/@d,e=f+g", "/"])("%s is taken as it is", (path) => {
    expect(safePath(path)).toBe(path);
  });

  test.each([
    "/a b",
    "/a:b",
    '/a"b',
    "/a'b",
    "/a\\b",
    "/a\nb",
    "/a$b",
    "/a/../b",
    "/a/./b",
    "//a",
    "/a/",
    "a/b",
    "",
    "/ä",
  ])("%j is refused", (path) => {
    expect(refusal(() => safePath(path))).toBe("HW_QUOTE_REFUSED");
  });
});

test("an id that could name another unit is refused", () => {
  for (const id of ["", "a-b", "a/b", "a.service", "A", "a b", "../x"])
    expect(refusal(() => safeId(id))).toBe("HW_QUOTE_REFUSED");
});
