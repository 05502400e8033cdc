import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { COPY, PASS } from "./copy-database.ts";

const TRAILER = "-- Done";
const LOAD = ["sh", "-c", 'echo "$(cat /dev/fd/3)"; cat', "load", "two words"];

/** What each part ended with, and what arrived. */
function copy(
  dump: string,
  load: readonly string[] = LOAD,
): { readonly told: readonly string[]; readonly arrived: string } {
  const argv = [PASS, TRAILER, "5", "sh", "-c", dump, "a b", "$HOME", ...load];
  const input = 'user=one\npassword="p\'$(w)`\\\\"\n--\nuser=two\n';
  // As a unit's, its own output is what is told; what a load prints goes beside it.
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", COPY, "sh", ...argv], { input, encoding: "utf8" });
  return { told: stdout.trim().split("\n").toSorted(), arrived: stderr };
}

test("a whole dump arrives as it is, each program with its own login and words", () => {
  const lines = "INSERT 'a\\\\b';\n\n  $x `y`\n-- Done on a day\n";
  const { told, arrived } = copy(
    `cat /dev/fd/3; printf '%s' "$0 $1"; printf '\\n%s' '${lines.replaceAll("'", `'\\''`)}'`,
  );
  const sent = `user=one\npassword="p'$(w)\`\\\\"\n\na b $HOME\n${lines}`;
  expect(arrived).toBe(`user=two\n${sent}`);
  expect(told).toEqual([`bytes ${sent.length}`, "dump 0", "load 0", "trailer 0"]);
});

test.each([
  ["that ends badly", "echo '-- Done'; exit 3", LOAD, ["dump 3", "load 0", "trailer 0"]],
  ["that breaks off without a word", "echo 'INSERT 1;'", LOAD, ["dump 0", "load 0", "trailer 1"]],
  ["whose last line only holds the trailer", "echo 'x -- Done'", LOAD, ["dump 0", "load 0", "trailer 1"]],
  ["that is empty", ":", LOAD, ["dump 0", "load 0", "trailer 1"]],
  ["that is not taken", "echo '-- Done'", ["sh", "-c", "cat >&2; exit 4"], ["dump 0", "load 4", "trailer 0"]],
])("a dump %s is told", (_what, dump, load, expected) => {
  expect(copy(dump, load).told).toEqual(expect.arrayContaining(expected));
});

test("a load that stops in the middle ends the dump", () => {
  const { told } = copy("while :; do echo 'INSERT 1;'; done", ["sh", "-c", "read -r line; exit 1"]);
  expect(told).toContain("load 1");
  expect(told).not.toContain("trailer 0");
});
