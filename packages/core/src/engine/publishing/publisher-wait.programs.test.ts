import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AWAIT, WAIT_SECONDS } from "./publisher-wait.ts";

/** Its clock: so many seconds pass whenever it looks, so that a slow server costs a test no time. */
const clock = (step: number): string => `BEGIN { my $now = 0; *CORE::GLOBAL::time = sub () { $now += ${step} } }`;
const OLD = 3;
const NEW = 4;

interface Ended {
  readonly code: unknown;
  readonly said: string;
}

let folder: string;
let log: string;
let web: Server;
let asked: number;
/** What the web server has come to when it is asked for the given time. */
let generationAt: (time: number) => number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "publisher-wait-"));
  log = join(folder, "error.log");
  writeFileSync(log, `[emerg] ${process.pid}#0: of an earlier reload\n`);
  asked = 0;
  web = createServer((_request, response) => response.end(`${generationAt(++asked)}\n`));
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
});

afterEach(() => {
  web.close();
  rmSync(folder, { recursive: true });
});

async function wait(main: number = process.pid): Promise<Ended> {
  const { port } = web.address() as AddressInfo;
  return awaited(port, "/", main);
}

/** By a command: a script of POSIX sh whose `$asked` counts the times that it is asked. */
async function waitByCommand(script: string, step: number = 0.5): Promise<Ended & { readonly times: number }> {
  const count = join(folder, "asked");
  writeFileSync(count, "");
  const file = join(folder, "status");
  writeFileSync(file, `echo >> ${count}; asked=$(wc -l < ${count})\n${script}\n`);
  const ended = await awaited(0, `exec sh ${file}`, process.pid, step);
  return { ...ended, times: readFileSync(count, "utf8").length };
}

async function awaited(port: number, how: string, main: number, step: number = 0.5): Promise<Ended> {
  const length = `[emerg] ${process.pid}#0: of an earlier reload\n`.length;
  const args = [port, how, NEW, 0, log, length, main].map(String);
  const child = spawn("perl", ["-e", clock(step) + AWAIT, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  return { code, said };
}

const says = (line: string): number => {
  appendFileSync(log, `2026/11/21 20:00:00 ${line}\n`);
  return OLD;
};

test("a server that is slow is waited for, and one good answer is not enough", async () => {
  generationAt = (time) => (time > 40 && time !== 45 ? NEW : OLD);
  expect(await wait()).toEqual({ code: 0, said: "" });
  expect(asked).toBe(45 + 15);
});

test("one that never takes it is given up after the time that systemd gives a reload, and that is said", async () => {
  generationAt = () => OLD;
  expect(await wait()).toEqual({ code: 1, said: `it did not answer with it within ${WAIT_SECONDS} s` });
  expect(asked).toBeCloseTo(2 * WAIT_SECONDS, -1);
});

test("a refusal of its main process ends the wait at once, with its own words; those of others do not", async () => {
  const others = [
    "[emerg] 1#1: unknown directive in somebody's test",
    `[crit] ${process.pid}#0: connect() to unix:/run/php.sock failed (2: No such file or directory)`,
  ];
  const own = `[emerg] ${process.pid}#0: host not found in upstream "gone.example.com"`;
  generationAt = (time) => says(time === 3 ? own : (others[time % 2] ?? ""));
  expect(await wait()).toEqual({ code: 1, said: `2026/11/21 20:00:00 ${own}\n` });
  expect(asked).toBe(3);
});

test("an address in use is tried again by nginx, which may get it, or says its last word", async () => {
  const inUse = `[emerg] ${process.pid}#0: bind() to 0.0.0.0:8099 failed (98: Address already in use)`;
  generationAt = (time) => (time < 3 ? says(inUse) : NEW);
  expect(await wait()).toEqual({ code: 0, said: "" });
  asked = 0;
  generationAt = (time) => says(time < 5 ? inUse : `[emerg] ${process.pid}#0: still could not bind()`);
  const { code, said } = await wait();
  expect([code, said.split("\n")[0]]).toEqual([1, `2026/11/21 20:00:00 ${inUse}`]);
  expect(asked).toBe(5);
});

test("a main process that is gone is not waited for, and Apache's last words are told", async () => {
  const main = spawn("sleep", ["100"]);
  const gone = once(main, "close");
  const { pid = 0 } = main;
  const last = `[core:emerg] [pid ${pid}:tid 1] AH00020: Configuration Failed, exiting`;
  generationAt = (time) => {
    if (time === 4) main.kill("SIGKILL");
    return OLD;
  };
  expect(await wait(pid)).toEqual({ code: 1, said: "its main process is gone" });
  await gone;
  // Not until the time is over: on a busy machine its end is seen some looks later.
  expect(asked).toBeLessThan(WAIT_SECONDS);
  says(last);
  expect(await wait(pid)).toEqual({ code: 1, said: `2026/11/21 20:00:00 ${last}\n` });
});

describe("a service that is asked by a command", () => {
  const SLOWLY = `[ $asked -gt 3 ] && [ $asked -ne 7 ] && number=${NEW} || number=${OLD}`;

  test.each([
    ["a number", `${SLOWLY}; echo $number`],
    ["one in quotes, as of a TXT record", `${SLOWLY}; echo \\"$number\\"`],
    ["one behind its name, as of an environment", `${SLOWLY}; printf 'GENERATION=%s\\n\\n' $number`],
  ])("is waited for until it prints it 15 times in a row: %s", async (_what, script) => {
    expect(await waitByCommand(script)).toEqual({ code: 0, said: "", times: 7 + 15 });
  });

  test.each([
    ["that fails", `echo ${NEW}; exit 1`, `${NEW}\n`],
    ["that prints several numbers", `echo "line 1: ${NEW}"`, `line 1: ${NEW}\n`],
    ["that is not there", "no-such-program", "no-such-program: not found\n"],
  ])("is not taken at the word of a command %s, and its last answer is told", async (_what, script, last) => {
    const { code, said } = await waitByCommand(script, 4);
    expect(code).toBe(1);
    expect(said).toMatch(new RegExp(`^it did not answer with it within ${WAIT_SECONDS} s; its last answer: `));
    expect(said.endsWith(last)).toBe(true);
  });

  test("has 2 s for an answer; then nothing is left of it", async () => {
    const pid = join(folder, "pid");
    const hangs = `[ $asked -gt 1 ] || { sleep 100 & echo $! > ${pid}; wait; }`;
    expect(await waitByCommand(`${hangs}\necho ${NEW}`)).toMatchObject({ code: 0, times: 1 + 15 });
    // A zombie, which has no command line, at most.
    const left = `/proc/${readFileSync(pid, "utf8").trim()}/cmdline`;
    expect(existsSync(left) && readFileSync(left, "utf8")).toBeOneOf([false, ""]);
  });

  test("is given up when its main process is gone", async () => {
    const main = spawn("true");
    await once(main, "close");
    const { pid = 0 } = main;
    const ended = awaited(0, `exec echo ${OLD}`, pid);
    expect(await ended).toEqual({ code: 1, said: "its main process is gone" });
  });
});
