import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Server } from "../../src/model/server.ts";
import { underLoad } from "../../../../test/support/under-load.ts";

export interface Subject {
  readonly server: Server;
  /** May it become other users? */
  readonly root: boolean;
  /** Path of a unix socket on the server that sends back what it gets. */
  readonly echoSocket: string;
  /** Code of what `close` tells a command that runs. */
  readonly closedCode: string;
  /** Another server object for the same machine. */
  another(): Server;
}

/** A duration that no other `sleep` on the machine has: how a test finds its own processes. */
function uniqueSeconds(): string {
  return `${randomInt(10_000, 99_999)}.${randomInt(100_000, 999_999)}`;
}

async function living(server: Server, seconds: string): Promise<string[]> {
  const { stdout } = await server.script({
    script: 'grep -lzs "$1" /proc/[0-9]*/cmdline || :',
    args: [`^${seconds.replace(".", "[.]")}$`],
  });
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line !== "");
}

async function untilAlive(server: Server, seconds: string, count: number): Promise<void> {
  for (let tries = 0; tries < 100 && (await living(server, seconds)).length < count; tries += 1) await delay(20);
  // More than those where sudo stands in front, which has the same arguments.
  expect((await living(server, seconds)).length).toBeGreaterThanOrEqual(count);
}

/** A pipeline, a grandchild and one that leaves its group (timeout makes its own): six processes have `$1` as an argument. */
const TREE = 'sleep "$1" | cat & (sh -c \'sleep "$1" & wait\' sh "$1" &) ; timeout 99999 sleep "$1" & wait';
const TREE_SIZE = 6;

/** What every server that runs commands does alike. */
export function serverBehaviour(name: string, open: () => Promise<Subject>): void {
  // oxlint-disable-next-line vitest/valid-title -- each server gives its own
  describe(name, () => {
    let subject: Subject;
    let server: Server;
    beforeAll(async () => {
      subject = await open();
      server = subject.server;
    });
    afterAll(() => server?.close());

    test("gives exit code, stdout and stderr of a command", async () => {
      const result = await server.script({
        script: 'printf "%s" "$1"; printf "%s" "$2" >&2; exit 7',
        args: ["out", "err"],
      });
      expect(result).toEqual({
        exitCode: 7,
        signal: null,
        stdout: Buffer.from("out"),
        stderr: "err",
        timedOut: false,
        aborted: false,
        truncated: false,
      });
    });

    test("gives the signal that ended a command", async () => {
      const result = await server.script({ script: "kill -s TERM $$" });
      expect(result).toMatchObject({ exitCode: null, signal: "SIGTERM", timedOut: false, aborted: false });
    });

    test("gives exit code 127 for a program that does not exist", async () => {
      const result = await server.run({ argv: ["no-such-program-here"] });
      expect(result.exitCode).toBe(127);
      expect(result.stderr).toContain("not found");
    });

    test("passes any argument unchanged", async () => {
      const word = fc.oneof(
        fc.string({ unit: "grapheme" }),
        fc.string({
          unit: fc.constantFrom(
            "'",
            '"',
            "\\",
            "$",
            "`",
            "\n",
            "\r",
            "!",
            "*",
            "~",
            " ",
            ";",
            "-",
            "=",
            "%",
            "\u001e",
            "a",
          ),
        }),
        fc.constantFrom("", "--", "-n", "~root", "$(id)", "`id`", "a=b", "'\\''", "\u001ehostwright 1\n"),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            word.filter((text) => !text.includes("\0")),
            { maxLength: 5 },
          ),
          async (words) => {
            const { stdout } = await server.run({ argv: ["printf", "%s\\0", "first", ...words] });
            expect(stdout.toString()).toBe(["first", ...words].map((text) => `${text}\0`).join(""));
          },
        ),
        { numRuns: 60 },
      );
    });

    test.each([[["a\0b"]], [["\ud800"]]])("refuses an argument that cannot be quoted: %j", async (argv) => {
      await expect(server.run({ argv: ["echo", ...argv] })).rejects.toMatchObject({ code: "HW_QUOTE_REFUSED" });
    });

    test.each([
      { argv: [] },
      { argv: ["-x"] },
      { argv: ["A=b"] },
      { argv: ["true"], env: { lower: "1" } },
      { argv: ["true"], env: { "A B": "1" } },
      { argv: ["true"], cwd: "relative" },
      { argv: ["true"], user: "root; id" },
      { argv: ["true"], timeoutMs: 0 },
    ])("refuses a command that makes no sense: %j", async (command) => {
      await expect(server.run(command)).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
    });

    test("passes environment and folder, and answers in the C locale", async () => {
      const { stdout } = await server.script({
        script: 'pwd; printf "%s\\n" "$GREETING" "$LC_ALL"',
        env: { GREETING: "a b'$c=d" },
        cwd: "/usr",
      });
      expect(stdout.toString()).toBe("/usr\na b'$c=d\nC.UTF-8\n");
    });

    test("does not pass the hub's own environment", async () => {
      process.env["HUB_ONLY"] = "1";
      const { stdout } = await server.run({ argv: ["env"] });
      delete process.env["HUB_ONLY"];
      expect(stdout.toString()).toContain("PATH=");
      expect(stdout.toString()).not.toContain("HUB_ONLY");
    });

    test("runs as another user, with that user's groups and home", async (context) => {
      context.skip(!subject.root, "needs root");
      const { stdout } = await server.script({
        script: 'id -un; id -Gn; echo "$HOME $A"; pwd',
        user: "nobody",
        env: { A: "1" },
        cwd: "/tmp",
      });
      expect(stdout.toString()).toBe("nobody\nnogroup\n/nonexistent 1\n/tmp\n");
    });

    test("says so when the user does not exist", async (context) => {
      context.skip(!subject.root, "needs root");
      const result = await server.run({ argv: ["true"], user: "no-such-user" });
      expect(result.exitCode).toBe(125);
      expect(result.stderr).toContain("no such user");
    });

    test("gives text and bytes to standard input, and none is an empty one", async () => {
      const bytes = Buffer.from([0, 255, 10, 13, 0, 128]);
      expect((await server.run({ argv: ["cat"], stdin: bytes })).stdout).toEqual(bytes);
      expect((await server.run({ argv: ["cat"], stdin: "" })).stdout).toHaveLength(0);
      expect((await server.run({ argv: ["cat"] })).stdout).toHaveLength(0);
    });

    test("streams 50 MB in without holding it", async () => {
      const chunk = Buffer.alloc(65_536, 7);
      let made = 0;
      let mostAhead = 0;
      const source = new Readable({
        read() {
          mostAhead = Math.max(mostAhead, source.readableLength);
          made += 1;
          this.push(made <= 800 ? chunk : null);
        },
      });
      const { stdout } = await server.run({ argv: ["wc", "-c"], stdin: source });
      expect(Number(stdout.toString())).toBe(800 * 65_536);
      expect(mostAhead).toBeLessThan(1_000_000);
    });

    test("a command that does not read its input is no failure, and ends the source", async () => {
      const chunk = Buffer.alloc(65_536);
      const source = new Readable({ read: () => void source.push(chunk) });
      const result = await server.script({ script: "exec 0<&-; sleep 0.2; echo done", stdin: source });
      expect(result).toMatchObject({ exitCode: 0, stderr: "" });
      expect(source.destroyed).toBe(true);
      expect((await server.run({ argv: ["true"], stdin: Buffer.alloc(8_000_000) })).exitCode).toBe(0);
    });

    test("a source that breaks off stops the command instead of passing for a complete one", async () => {
      const seconds = uniqueSeconds();
      const source = new Readable({ read: () => {} });
      source.push("half");
      const running = server.script({ script: 'cat; sleep "$1"', args: [seconds], stdin: source });
      setTimeout(() => source.destroy(new Error("the disk broke")), 100);
      await expect(running).rejects.toMatchObject({
        code: "HW_COMMAND_FAILED",
        data: {},
        cause: { message: "the disk broke" },
      });
      expect(await living(server, seconds)).toEqual([]);
    });

    test("keeps the head of long output and drops the rest", async () => {
      const result = await server.script({
        script: "printf abc; head -c 3000000 /dev/zero; printf xyz >&2",
        maxOutputBytes: 5,
      });
      expect(result).toMatchObject({ exitCode: 0, truncated: true, stdout: Buffer.from("abc\0\0"), stderr: "xyz" });
      const exact = await server.run({ argv: ["printf", "12345"], maxOutputBytes: 5 });
      expect(exact).toMatchObject({ truncated: false, stdout: Buffer.from("12345") });
    });

    test("output without a newline at its end, and binary output, arrive whole", async () => {
      const { stdout } = await server.run({ argv: ["head", "-c", "3000001", "/dev/zero"] });
      expect(stdout).toHaveLength(3_000_001);
    });

    test("a time-out ends the whole process tree", async () => {
      const seconds = uniqueSeconds();
      const running = server.script({ script: TREE, args: [seconds], timeoutMs: underLoad(1000) });
      await untilAlive(server, seconds, TREE_SIZE);
      expect(await running).toMatchObject({ timedOut: true, aborted: false });
      expect(await living(server, seconds)).toEqual([]);
    });

    test("an abort ends the whole process tree within a second", async () => {
      const seconds = uniqueSeconds();
      const abort = new AbortController();
      const running = server.script({ script: TREE, args: [seconds], signal: abort.signal });
      await untilAlive(server, seconds, TREE_SIZE);
      const since = performance.now();
      abort.abort();
      expect(await running).toMatchObject({ timedOut: false, aborted: true });
      expect(performance.now() - since).toBeLessThan(underLoad(1000));
      expect(await living(server, seconds)).toEqual([]);
    });

    test("what ignores SIGTERM is killed after five seconds", async () => {
      const seconds = uniqueSeconds();
      const since = performance.now();
      const script = 'trap "" TERM; sleep "$1" & echo started; wait';
      const result = await server.script({ script, args: [seconds], timeoutMs: underLoad(1000) });
      expect(result).toMatchObject({ timedOut: true, stdout: Buffer.from("started\n") });
      expect(performance.now() - since).toBeGreaterThan(5000);
      expect(performance.now() - since).toBeLessThan(underLoad(8000));
      expect(await living(server, seconds)).toEqual([]);
    });

    test("another user's processes are ended, too", async (context) => {
      context.skip(!subject.root, "needs root");
      const seconds = uniqueSeconds();
      expect(await server.script({ script: TREE, args: [seconds], user: "nobody", timeoutMs: 300 })).toMatchObject({
        timedOut: true,
      });
      expect(await living(server, seconds)).toEqual([]);
    });

    test("ten aborts at once end all their commands within a second", async () => {
      const seconds = uniqueSeconds();
      const abort = new AbortController();
      const running = Array.from({ length: 10 }, () => server.run({ argv: ["sleep", seconds], signal: abort.signal }));
      await delay(300);
      const since = performance.now();
      abort.abort();
      for (const result of await Promise.all(running)) expect(result.aborted).toBe(true);
      expect(performance.now() - since).toBeLessThan(underLoad(1000));
      expect(await living(server, seconds)).toEqual([]);
    });

    test("an aborted signal runs nothing", async () => {
      const path = `/tmp/${randomUUID()}`;
      expect(await server.run({ argv: ["touch", path], signal: AbortSignal.abort() })).toMatchObject({
        aborted: true,
        exitCode: null,
      });
      expect((await server.run({ argv: ["test", "-e", path] })).exitCode).toBe(1);
    });

    test("40 commands at once all succeed", async () => {
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, index) => server.run({ argv: ["echo", String(index)] })),
      );
      expect(results.map(({ stdout }) => stdout.toString())).toEqual(
        Array.from({ length: 40 }, (_, index) => `${index}\n`),
      );
    });

    test("forwards to a unix socket, and commands run beside many forwards", async () => {
      const sockets = await Promise.all(Array.from({ length: 20 }, () => server.forward({ path: subject.echoSocket })));
      const [first] = sockets;
      if (first === undefined) throw new Error("no socket");
      first.write("hello");
      const [answer] = (await once(first, "data")) as [Buffer];
      expect(answer.toString()).toBe("hello");
      expect((await server.run({ argv: ["true"] })).exitCode).toBe(0);
      for (const socket of sockets) socket.destroy();
    });

    test("commands run beside many forwards as another user, and those beside each other", async ({ skip }) => {
      if (!subject.root) skip("only root becomes another user");
      const address = { path: subject.echoSocket, user: "daemon" };
      const streams = await Promise.all(Array.from({ length: 10 }, () => server.forward(address)));
      expect((await server.run({ argv: ["true"], timeoutMs: 5000 })).exitCode).toBe(0);
      for (const stream of streams) stream.destroy();
    });

    test("forwards that are given up with something unread hold no place", async () => {
      for (let count = 0; count < 100; count += 1) {
        const socket = await server.forward({ path: subject.echoSocket });
        socket.write("hello");
        await once(socket, "readable");
        socket.destroy();
      }
    });

    test("forwards as another user, however much goes both ways at once, and leaves no process", async ({ skip }) => {
      if (!subject.root) skip("only root becomes another user");
      const stream = await server.forward({ path: subject.echoSocket, user: "daemon" });
      const sent = randomBytes(5_000_000);
      stream.end(sent);
      const got = await buffer(stream);
      expect(got.equals(sent)).toBe(true);
      const missing = server.forward({ path: "/run/no-such-socket", user: "daemon" });
      await expect(missing).rejects.toMatchObject({ code: "HW_SOCKET_UNREACHABLE", retryable: true });
      const dropped = await server.forward({ path: subject.echoSocket, user: "daemon" });
      dropped.destroy();
      const relays = { script: 'grep -lzs "^$1$" /proc/[0-9]*/cmdline || :', args: [subject.echoSocket] };
      await expect
        .poll(async () => (await server.script(relays)).stdout.toString().split("\n").length)
        .toBeLessThanOrEqual(3);
    });

    test("output goes to who takes it, at the pace at which it is taken, and is not kept", async () => {
      let taken = 0;
      let longest = 0;
      const taker = new Writable({
        highWaterMark: 65_536,
        write(chunk: Buffer, _encoding, done) {
          longest = Math.max(longest, taker.writableLength);
          taken += chunk.length;
          setTimeout(done, 1);
        },
      });
      const result = await server.script({ script: "head -c 8000000 /dev/zero; echo over >&2", stdout: taker });
      await new Promise((resolve) => taker.end(resolve));
      expect(result).toMatchObject({ exitCode: 0, stderr: "over\n", truncated: false });
      expect(result.stdout).toHaveLength(0);
      expect(taken).toBe(8_000_000);
      expect(longest).toBeLessThan(4_000_000);
    });

    test("a forward to a socket that nobody listens at fails with its own code", async () => {
      await expect(server.forward({ path: "/run/no-such-socket" })).rejects.toMatchObject({
        code: "HW_SOCKET_UNREACHABLE",
      });
      await expect(server.forward({ host: "127.0.0.1", port: 1 })).rejects.toMatchObject({
        code: "HW_SOCKET_UNREACHABLE",
      });
    });

    test("counts one connection, and one round trip a command", async () => {
      const other = subject.another();
      for (let count = 0; count < 3; count += 1) await other.run({ argv: ["cat"], stdin: "x".repeat(10_000) });
      await other.script({ script: "head -c 20000 /dev/zero" });
      (await other.forward({ path: subject.echoSocket })).destroy();
      const { connections, roundTrips, bytesSent, bytesReceived } = other.stats;
      expect({ connections, roundTrips }).toEqual({ connections: 1, roundTrips: 5 });
      expect(bytesSent).toBeGreaterThanOrEqual(30_000);
      expect(bytesReceived).toBeGreaterThanOrEqual(50_000);
      await other.close();
    });

    test("closing stops what runs, refuses what comes, and may be done twice", async () => {
      const seconds = uniqueSeconds();
      const other = subject.another();
      const running = other.run({ argv: ["sleep", seconds] });
      running.catch(() => {});
      await untilAlive(server, seconds, 1);
      await Promise.all([other.close(), other.close()]);
      await expect(running).rejects.toMatchObject({ code: subject.closedCode });
      await expect(other.run({ argv: ["true"] })).rejects.toMatchObject({ code: subject.closedCode });
      expect(await living(server, seconds)).toEqual([]);
    });
  });
}
