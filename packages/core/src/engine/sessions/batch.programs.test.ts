import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { testTarget } from "../../../test/test-target.ts";
import { LocalServer } from "../../servers/local-server.ts";
import { runBatch } from "./batch.ts";

const server = new LocalServer("web1");
afterAll(async () => server.close());
const target = testTarget({}, server);

const bytes = fc.uint8Array({ maxLength: 40 }).map((list) => list.map((byte) => (byte === 0 ? 10 : byte)));
const word = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !text.includes("\0"));
const octal = (list: Uint8Array): string => [...list].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
const asText = (list: Uint8Array): string => Buffer.from(list).toString("utf8");

test("every command's output, error output and exit code are its own, whatever bytes they hold", async () => {
  const command = fc.record({ out: bytes, err: bytes, exitCode: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 8 }), async (commands) => {
      const script = `printf "$1"; printf "$2" >&2; exit "$3"`;
      const argv = commands.map(({ out, err, exitCode }) => [
        "sh",
        "-c",
        script,
        "sh",
        octal(out),
        octal(err),
        String(exitCode),
      ]);
      expect(await runBatch(target, argv)).toEqual(
        commands.map(({ out, err, exitCode }) => ({ exitCode, stdout: asText(out), stderr: asText(err) })),
      );
    }),
    { numRuns: 40 },
  );
});

test("arguments arrive as they are, whatever they hold", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(word, { maxLength: 5 }), { minLength: 1, maxLength: 5 }), async (lists) => {
      const results = await runBatch(
        target,
        lists.map((list) => ["printf", "%s|", "-", ...list]),
      );
      expect(results.map(({ stdout }) => stdout)).toEqual(
        lists.map((list) => ["-", ...list].map((one) => `${one}|`).join("")),
      );
    }),
    { numRuns: 40 },
  );
});

test("a program that is not there is a result of 127, and the others are not touched by it", async () => {
  const results = await runBatch(target, [["true"], ["no-such-program", "x"], ["echo", "ok"]]);
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 127, 0]);
  expect(results[1]?.stderr).toContain("no-such-program");
  expect(results[2]?.stdout).toBe("ok\n");
});

test("a command that a signal ends is told apart from one that ends well", async () => {
  const [result] = await runBatch(target, [["sh", "-c", "kill -9 $$"]]);
  expect(result?.exitCode).toBe(137);
});

test("commands read nothing, and a shell's own words are no programs", async () => {
  const results = await runBatch(target, [["cat"], ["exit", "3"], ["echo", "ok"]]);
  expect(results.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual([
    [0, ""],
    [127, ""],
    [0, "ok\n"],
  ]);
});

test("large outputs of several commands at once are whole", async () => {
  const argv = ["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; head -c 1000000 /dev/zero | tr '\\0' e >&2"];
  for (const { stdout, stderr } of await runBatch(target, [argv, argv, argv])) {
    expect([stdout.length, stderr.length]).toEqual([3_000_000, 1_000_000]);
  }
});

test("many commands are one round trip, none are none", async () => {
  const before = server.stats.roundTrips;
  expect(await runBatch(target, [])).toEqual([]);
  expect(server.stats.roundTrips).toBe(before);
  await runBatch(
    target,
    Array.from({ length: 30 }, () => ["true"]),
  );
  expect(server.stats.roundTrips).toBe(before + 1);
});
