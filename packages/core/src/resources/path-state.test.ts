import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseOutcomes } from "./outcomes.ts";
import { encodeChanges } from "./path-apply.ts";
import { answerLimit, canonicalState, LARGEST_FILE, parsePresent, type PathState } from "./path-state.ts";
import { Path } from "./schemas.ts";
import { ANY_CHARACTER } from "../../../testing/src/any-character.ts";

const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,12}$/);
const noNul = fc
  .string({ unit: ANY_CHARACTER, minLength: 1 })
  .map((text) => text.replaceAll("\0", "x"))
  .filter((text) => text.isWellFormed());
const attributes = { owner: name, group: name, mode: fc.integer({ min: 0, max: 0o7777 }) };
const fileState = fc
  .record({ ...attributes, bytes: fc.uint8Array({ maxLength: 50 }), sha256: fc.stringMatching(/^[0-9a-f]{64}$/) })
  .map(({ bytes, ...rest }): PathState => ({
    kind: "file",
    ...rest,
    size: bytes.length,
    content: Buffer.from(bytes).toString("base64"),
  }));
const state: fc.Arbitrary<PathState> = fc.oneof(
  fileState,
  fc.record({ kind: fc.constant("directory" as const), ...attributes }),
  fc.record({ kind: fc.constant("link" as const), target: noNul }),
  fc.record({ kind: fc.constant("other" as const), what: noNul }),
);

function answer(states: readonly (PathState | null)[]): Buffer {
  const parts = states.flatMap((one) => {
    const bytes = one?.kind === "file" && one.content !== undefined ? Buffer.from(one.content, "base64") : null;
    const size = one?.kind === "file" ? one.size : 0;
    return [Buffer.from(`${canonicalState(one)}\0${size}\0${bytes?.length ?? "-"}\0`), bytes ?? Buffer.alloc(0)];
  });
  return Buffer.concat([...parts, Buffer.from("end\0")]);
}

test("any state that a server can report is read back as it is, bytes with NULs and foreign link targets included", () => {
  fc.assert(
    fc.property(fc.array(fc.option(state)), (states) => {
      const paths = states.map((_, index) => `/p${index}`);
      const expected = new Map(states.flatMap((one, index) => (one === null ? [] : [[`/p${index}`, one] as const])));
      const found = new Map<string, PathState>();
      expect(parsePresent(answer(states), paths, found)).toBe(true);
      expect(found).toEqual(expected);
    }),
  );
});

test("an answer that was cut anywhere is recognised", () => {
  fc.assert(
    fc.property(fc.array(fc.option(state), { minLength: 1 }), fc.nat(), (states, cut) => {
      const whole = answer(states);
      const paths = states.map((_, index) => `/p${index}`);
      expect(parsePresent(whole.subarray(0, cut % whole.length), paths, new Map())).toBe(false);
    }),
  );
});

test("outcomes are taken only when there is one for each change", () => {
  expect(parseOutcomes("done\0\0unsafe\0/srv\0end\0", 2)).toEqual([
    { word: "done", detail: "" },
    { word: "unsafe", detail: "/srv" },
  ]);
  for (const cut of ["", "done\0", "done\0\0unsafe\0/srv\0", "done\0\0end\0", "done\0\0unsafe\0/srv\0end"]) {
    expect(parseOutcomes(cut, 2)).toBeNull();
  }
});

test("a path that is accepted has one spelling and no control character", () => {
  fc.assert(
    fc.property(fc.string({ unit: ANY_CHARACTER }), (text) => {
      if (!Path.safeParse(`/${text}`).success) return;
      expect(text).not.toMatch(/\p{Cc}|\/\/|\/$|(^|\/)\.{1,2}(\/|$)/u);
    }),
  );
});

test.for(["", "/", "relative", "/a/", "/a//b", "/a/../b", "/a/.", "/a\nb", "/a\0b", `/${"x".repeat(201)}`, "/\ud800"])(
  "the path %j is refused",
  (path) => {
    expect(Path.safeParse(path).success).toBe(false);
  },
);

test.for(["/etc/nginx/sites.conf", "/srv/a b/c'd\"e$f`g", "/srv/ümläut/…/😀", "/.hidden/..dots"])(
  "the path %j is accepted",
  (path) => {
    expect(Path.safeParse(path).success).toBe(true);
  },
);

test("a new file without its contents is a defect that is named before anything is sent", () => {
  const after: PathState = { kind: "file", owner: "root", group: "root", mode: 0o644, sha256: "0", size: 1 };
  expect(() => encodeChanges([{ key: "/a", before: null, after }])).toThrow(
    expect.objectContaining({ code: "HW_INTERNAL" }),
  );
});

test("the bound of an answer is in proportion to the question, and leaves room for the largest file", () => {
  expect(answerLimit(1, true)).toBeGreaterThan(LARGEST_FILE + 4096);
  expect(answerLimit(30, false)).toBeLessThan(200_000);
  expect(answerLimit(30, true)).toBeLessThan(80_000_000);
  expect(answerLimit(1_000_000, true)).toBe(256 * 1024 * 1024);
});
