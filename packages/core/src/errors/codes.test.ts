import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "./codes.ts";
import { HostwrightError, isHostwrightError } from "./hostwright-error.ts";

const ROOT = new URL("../../../../", import.meta.url).pathname;
const codes = Object.entries(ERROR_CODES);

const sources = globSync("packages/*/src/**/*.ts", { cwd: ROOT })
  .filter((path) => !path.endsWith(".test.ts") && !path.endsWith("errors/codes.ts"))
  .map((path) => readFileSync(`${ROOT}${path}`, "utf8"))
  .join("\n");

describe("the table of codes", () => {
  test.each(codes)("%s is raised somewhere", (code) => {
    expect(sources.includes(`"${code}"`)).toBe(true);
  });

  test("holds every code that the sources or their comments name", () => {
    const named = new Set(sources.match(/\bHW_[A-Z]+(_[A-Z]+)*\b/g));
    expect([...named].filter((code) => !(code in ERROR_CODES))).toEqual([]);
  });

  test.each(codes)("%s says what it means in whole sentences", (_code, text) => {
    expect(text).toMatch(/^[A-Z].*[.]$/s);
  });

  test("is in docs/errors.md, word for word", () => {
    const page = readFileSync(`${ROOT}docs/errors.md`, "utf8");
    const rows = [...page.matchAll(/^\| `(HW_[A-Z_]+)`\s*\| (.*?)\s*\|$/gm)].map(([, code, text]) => [code, text]);
    expect(rows).toEqual(codes);
  });
});

test("every remedy in the sources is a whole sentence", () => {
  const remedies = sources.matchAll(/\bremedy(?::| =)\s*(?:[^"`;,{}]*\?\s*)?("(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)/g);
  const said = [...remedies].map(([, text = ""]) => text.slice(1, -1));
  expect(said.length).toBeGreaterThan(90);
  expect(said.filter((text) => !/^[A-Z].*\.$/s.test(text))).toEqual([]);
});

describe("an error", () => {
  test("has its code's remedy unless a better one is given, and is not retryable by default", () => {
    const error = new HostwrightError("HW_DISK_FULL", "full");
    expect(error).toMatchObject({ remedy: ERROR_CODES.HW_DISK_FULL, retryable: false, server: undefined, data: {} });
    expect(new HostwrightError("HW_DISK_FULL", "full", { remedy: "Empty the bin." }).remedy).toBe("Empty the bin.");
  });

  test("goes into JSON with all that a panel shows, and without its cause", () => {
    const cause = new Error("hush");
    const error = new HostwrightError("HW_SSH_LOST", "lost", {
      cause,
      server: "web1",
      retryable: true,
      data: { step: 1 },
    });
    expect(error.cause).toBe(cause);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "HW_SSH_LOST",
      message: "lost",
      server: "web1",
      remedy: ERROR_CODES.HW_SSH_LOST,
      retryable: true,
      data: { step: 1 },
    });
  });

  test("is recognised from a second copy of core, and nothing else is", () => {
    const foreign = Object.assign(new Error("x"), { name: "HostwrightError", code: "HW_INTERNAL" });
    expect(isHostwrightError(foreign)).toBe(true);
    for (const other of [
      new Error("x"),
      { ...foreign },
      null,
      Object.assign(new Error("x"), { name: "HostwrightError", code: "EPIPE" }),
    ]) {
      expect(isHostwrightError(other)).toBe(false);
    }
  });
});
