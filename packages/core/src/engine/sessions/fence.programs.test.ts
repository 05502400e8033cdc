import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { CommandResult } from "../../model/server.ts";
import { LocalServer } from "../../servers/local-server.ts";
import type { Claim } from "../../contracts/facts.ts";
import { passClaim } from "./take-server.ts";
import { dropFence, raiseFence, ranOn, runFenced, type Fence, type FenceMark } from "./fence.ts";
import { underLoad } from "../../../../../test/support/under-load.ts";

const server = new LocalServer("web1");
afterAll(async () => server.close());

let folder: string;
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), "hostwright-fence-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  folder = join(parent, "state", "fence");
});

const fence = (change: Partial<Fence> = {}): Fence => ({
  scope: "site/s1",
  installation: "i1",
  home: "hub:/srv/state",
  epoch: 1,
  token: 5,
  latest: async () => ({ epoch: change.epoch ?? 1, token: 1000 }),
  ...change,
});
/** Zombies are dead. */
const lives = (pid: string): boolean =>
  existsSync(`/proc/${pid}/stat`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
const run = async (holder: Fence, script = "echo done", args: string[] = []): Promise<CommandResult> =>
  runFenced(server, holder, { script, args }, folder);
const outcome = async (holder: Fence): Promise<string> =>
  run(holder).then(
    (result) => result.stdout.toString().trim(),
    (error: unknown) => (error as { code: string }).code,
  );

test("a script runs with its arguments, input and exit code", async () => {
  const script = { script: 'printf "%s|" "$0" "$@"; cat; exit 3', args: ["a b", "$(id)", ""], stdin: "in" };
  const result = await runFenced(server, fence(), script, folder);
  expect(result.stdout.toString()).toBe("sh|a b|$(id)||in");
  expect(result.exitCode).toBe(3);
});

test("who held the scope later keeps an earlier holder from changing anything", async () => {
  expect(await outcome(fence({ token: 5 }))).toBe("done");
  expect(await outcome(fence({ token: 6 }))).toBe("done");
  const late = run(fence({ token: 5 }), `touch "$1/changed"`, [folder]);
  await expect(late).rejects.toMatchObject({ code: "HW_LEASE_LOST", server: "web1" });
  expect(readdirSync(folder)).not.toContain("changed");
  expect(await outcome(fence({ token: 6 }))).toBe("done");
});

test("a token is compared as a number", async () => {
  expect(await outcome(fence({ token: 10 }))).toBe("done");
  expect(await outcome(fence({ token: 9 }))).toBe("HW_LEASE_LOST");
});

test("a higher epoch outranks any token: a store that was restored begins anew", async () => {
  expect(await outcome(fence({ epoch: 1, token: 99 }))).toBe("done");
  expect(await outcome(fence({ epoch: 2, token: 1 }))).toBe("done");
  expect(await outcome(fence({ epoch: 1, token: 100 }))).toBe("HW_STORE_RESTORED");
});

test("scopes know nothing of each other", async () => {
  expect(await outcome(fence({ token: 9 }))).toBe("done");
  expect(await outcome(fence({ scope: "site/s2", token: 1 }))).toBe("done");
});

test("two of the same scope never run at once, and each sees the other's work whole", async () => {
  const script = `echo in >> "$1/log"; sleep 0.05; echo out >> "$1/log"`;
  await Promise.all(Array.from({ length: 6 }, async () => run(fence(), script, [folder])));
  expect(readFileSync(join(folder, "log"), "utf8")).toBe("in\nout\n".repeat(6));
});

describe("a script that does not end", () => {
  /** As of a worker that is stopped: its input never comes to an end. */
  const hanging = async (): Promise<{ readonly ended: Promise<unknown>; readonly processes: () => string[] }> => {
    const stdin = new PassThrough();
    onTestFinished(() => void stdin.end());
    // What left the group of processes, and what came out of a pipe, is of the script as well.
    const script = `echo $$ > "$1/processes"; (sh -c 'echo $$ >> "$1/processes"; exec timeout 60 sleep 60' sh "$1" &); cat; touch "$1/late"`;
    const ended = runFenced(server, fence(), { script, args: [folder], stdin }, folder).catch(
      (error: unknown) => error,
    );
    const all = (): string[] => readFileSync(join(folder, "processes"), "utf8").trim().split("\n");
    await vi.waitFor(() => expect(all()).toHaveLength(2), { timeout: 5000 });
    return { ended, processes: () => all().filter(lives) };
  };
  const after = async (holder: Fence): Promise<string> =>
    (await runFenced(server, holder, { script: "echo done" }, folder, 0.1)).stdout.toString();

  test("is ended with all its processes by the next holder, before that one's own begins", async () => {
    const { ended, processes } = await hanging();
    expect(processes()).toHaveLength(2);
    expect(await after(fence({ token: 6 }))).toBe("done\n");
    expect(processes()).toEqual([]);
    expect(await ended).toMatchObject({ exitCode: null, signal: "SIGKILL" });
    expect(readdirSync(folder)).not.toContain("late");
  });

  test("is ended when the epoch is raised", async () => {
    const { processes } = await hanging();
    await raiseFence(server, { installation: "i1", epoch: 2 }, { from: 0, to: 0 }, folder, 0.1);
    expect(processes()).toEqual([]);
  });

  test.each([
    ["its own task's", fence()],
    ["an earlier holder's", fence({ token: 4 })],
  ])("is not ended by %s, which waits", async (_whose, holder) => {
    const { processes } = await hanging();
    const stop = AbortSignal.timeout(600);
    const waiting = await runFenced(server, holder, { script: "echo done", signal: stop }, folder, 0.1);
    expect([waiting.aborted, waiting.stdout.toString()]).toEqual([true, ""]);
    expect(processes()).toHaveLength(2);
    expect(await after(fence({ token: 6 }))).toBe("done\n");
  });

  test("is over once it is dead, although its stopped parent on the same machine does not take note", async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "site-s1.lock"), "");
    const lock = join(folder, "site-s1.lock");
    const child = `exec 6<"$1"; flock 6; read -r line < /proc/$$/stat; lock=$1; set -- \${line##*) }; echo "i1 1 5 $$ $4 \${20}" > "$lock"; (exec 6<&-; exec sleep 60); :`;
    const args = ["-c", `setsid sh -c '${child}' sh "$1" & wait`, "sh", lock];
    const parent = spawn("sh", args, { stdio: ["pipe", "ignore", "ignore"] });
    onTestFinished(() => void parent.kill("SIGKILL"));
    await vi.waitFor(() => expect(readFileSync(lock, "utf8")).toMatch(/^i1 1 5 \d+ \d+ \d+\n$/), { interval: 10 });
    const held = (): boolean => spawnSync("flock", ["-n", lock, "true"]).status === 1;
    await vi.waitFor(() => expect(held()).toBe(true));
    parent.kill("SIGSTOP");
    expect(await after(fence({ token: 6 }))).toBe("done\n");
  });

  test("that has ended by itself is nobody's any longer, whoever has its number now", async () => {
    await run(fence());
    const other = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
    onTestFinished(() => void other.kill("SIGKILL"));
    const holder = spawn("flock", [join(folder, "site-s1.lock"), "sleep", "1"], { stdio: "ignore" });
    await vi.waitFor(() => expect(spawnSync("flock", ["-n", join(folder, "site-s1.lock"), "true"]).status).toBe(1));
    writeFileSync(join(folder, "site-s1.lock"), `i1 1 5 ${other.pid} ${other.pid} 1\n`);
    expect(await after(fence({ token: 6 }))).toBe("done\n");
    expect([lives(String(other.pid)), holder.exitCode]).toEqual([true, 0]);
  });
});

describe("a script of which one process is killed, while another works on", () => {
  /** Each process adds to the log as long as it and the folder are there, one of them in a session of its own. */
  const KILLED = {
    "the fence's own": `tick & setsid sh -c "$TICK" sh "$1" & kill -9 $PPID; tick`,
    "the script's": `tick & setsid sh -c "$TICK" sh "$1" & sleep 0.2; kill -9 $$`,
  };
  const script = (killed: keyof typeof KILLED): string => `
    TICK='while echo tick >> "$1/log"; do sleep 0.02; done'
    eval "tick() { $TICK; }"
    exec > /dev/null 2>&1
    ${KILLED[killed]}`;
  const log = (): string => (existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8") : "");
  const begun = async (killed: keyof typeof KILLED): Promise<void> => {
    const result = await runFenced(server, fence(), { script: script(killed), args: [folder] }, folder);
    expect(result).toMatchObject(killed === "the script's" ? { exitCode: 137 } : { signal: "SIGKILL" });
    const before = log();
    await vi.waitFor(() => expect(log().length).toBeGreaterThan(before.length));
  };
  const waits = async (holder: Fence, graceSeconds: number): Promise<boolean> => {
    const signal = AbortSignal.timeout(600);
    return (await runFenced(server, holder, { script: "echo done", signal }, folder, graceSeconds)).aborted;
  };
  const after = async (holder: Fence): Promise<string> =>
    (await runFenced(server, holder, { script: "echo done" }, folder, 0.1)).stdout.toString();

  test.each([
    ["the fence's own", "its own task", fence()],
    ["the fence's own", "the next holder", fence({ token: 6 })],
    ["the script's", "its own task", fence()],
    ["the script's", "the next holder", fence({ token: 6 })],
  ] as const)("%s: it is waited for, and ended by %s", async (killed, _by, holder) => {
    await begun(killed);
    expect(await waits(holder, 60)).toBe(true);
    expect(await after(holder)).toBe("done\n");
    const ended = log();
    await delay(100);
    expect(log()).toBe(ended);
  });

  test("it is left alone by an earlier holder, and by who takes the server over", async () => {
    await begun("the fence's own");
    expect(await waits(fence({ token: 4 }), 0.1)).toBe(true);
    const [former, other] = ["i1", "i2"].map((installation) => ({ installation, since: "2026-01-01", home: "hub:/" }));
    const passed = passClaim(
      { server, signal: new AbortController().signal },
      former as Claim,
      other as Claim,
      folder,
      0.1,
    );
    await expect(passed).rejects.toMatchObject({ code: "HW_RESOURCE_CHANGED" });
    const before = log();
    await vi.waitFor(() => expect(log().length).toBeGreaterThan(before.length));
    await after(fence());
  });

  test("nothing is waited for where nothing of it lives", async () => {
    await run(fence(), "exit 255");
    const started = performance.now();
    expect(await outcome(fence())).toBe("done");
    expect(performance.now() - started).toBeLessThan(underLoad(2000));
  });
});

test("what a script leaves running does not hold the fence", async () => {
  await run(fence(), "sleep 5 >/dev/null 2>&1 & echo $!");
  const started = performance.now();
  expect(await outcome(fence())).toBe("done");
  expect(performance.now() - started).toBeLessThan(underLoad(2000));
});

test("its folder is for root alone", async () => {
  await run(fence());
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, "..")).mode & 0o777).toBe(0o700);
});

test("a scope that was dropped is forgotten, and dropping it again is fine", async () => {
  await run(fence({ token: 9 }));
  await dropFence(server, "site/s1", folder);
  await dropFence(server, "site/s1", folder);
  expect(readdirSync(folder).filter((name) => name.startsWith("site"))).toEqual([]);
  expect(await outcome(fence({ token: 1 }))).toBe("done");
});

test("a scope that cannot be dropped is told", async () => {
  await run(fence({ token: 9 }));
  rmSync(join(folder, "site-s1.lock"));
  mkdirSync(join(folder, "site-s1.lock"));
  await expect(dropFence(server, "site/s1", folder)).rejects.toMatchObject({ code: "HW_COMMAND_FAILED" });
});

describe("a server that saw a later store", () => {
  /** As a store knows it whose highest token is this one. */
  const of = (token: number, granted: number, change: Partial<Fence> = {}): Fence =>
    fence({ token, latest: async () => ({ epoch: change.epoch ?? 1, token: granted }), ...change });

  test("tells it from a later holder: nothing is run, and the error says what to do", async () => {
    expect(await outcome(of(9, 9))).toBe("done");
    const late = run(of(5, 6), `touch "$1/changed"`, [folder]);
    await expect(late).rejects.toMatchObject({
      code: "HW_STORE_RESTORED",
      remedy: expect.stringContaining("raiseEpoch"),
    });
    expect(readdirSync(folder)).not.toContain("changed");
    expect(await outcome(of(5, 9))).toBe("HW_LEASE_LOST");
  });

  test("tells it by another scope than the task's own", async () => {
    expect(await outcome(of(9, 9))).toBe("done");
    expect(await outcome(of(6, 6, { scope: "site/s2" }))).toBe("HW_STORE_RESTORED");
    expect(await outcome(of(6, 9, { scope: "site/s2" }))).toBe("done");
  });

  test("tells it to a store with a lower epoch", async () => {
    expect(await outcome(of(1, 1, { epoch: 2 }))).toBe("done");
    expect(await outcome(of(50, 60, { scope: "site/s2" }))).toBe("HW_STORE_RESTORED");
    const stale = fence({ scope: "site/s3", latest: async () => ({ epoch: 2, token: 3 }) });
    expect(await outcome(stale)).toBe("HW_LEASE_LOST");
  });

  test("takes no offence at leases that were granted while a script was on its way", async () => {
    expect(await outcome(of(9, 9))).toBe("done");
    let granted = 6;
    const latest = async (): Promise<FenceMark> => ({ epoch: 1, token: (granted += 2) });
    expect(await outcome(fence({ scope: "site/s2", token: 6, latest }))).toBe("done");
  });

  test("knows installations apart: one that took the server over begins anew", async () => {
    expect(await outcome(of(9, 9))).toBe("done");
    const claims = ["i1", "i2"].map((installation) => ({ installation, since: "2026-01-01T00:00:00Z", home: "hub:/" }));
    const [former, next] = claims as [Claim, Claim];
    await passClaim({ server, signal: new AbortController().signal }, former, next, folder);
    expect(await outcome(of(1, 1, { installation: "i2", scope: "site/s2" }))).toBe("done");
  });

  test("refuses a stream before it is read", async () => {
    expect(await outcome(of(9, 9))).toBe("done");
    const stdin = Readable.from(["data"]);
    await expect(runFenced(server, of(5, 6), { script: "cat", stdin }, folder)).rejects.toMatchObject({
      code: "HW_STORE_RESTORED",
    });
    const fine = await runFenced(server, of(10, 10), { script: "cat", stdin }, folder);
    expect(fine.stdout.toString()).toBe("data");
  });
});

describe("a raised epoch", () => {
  const range = { from: 0, to: 0 };

  test("fences all scopes of the installation at once, those that were never seen too", async () => {
    expect(await outcome(fence({ token: 9 }))).toBe("done");
    await raiseFence(server, { installation: "i1", epoch: 2 }, range, folder);
    for (const scope of ["site/s1", "site/s2"])
      expect(await outcome(fence({ scope, token: 99 }))).toBe("HW_STORE_RESTORED");
    expect(await outcome(fence({ epoch: 2, token: 1 }))).toBe("done");
  });

  test("never goes back", async () => {
    await raiseFence(server, { installation: "i1", epoch: 3 }, range, folder);
    await raiseFence(server, { installation: "i1", epoch: 2 }, range, folder);
    expect(await outcome(fence({ epoch: 2 }))).toBe("HW_STORE_RESTORED");
  });

  test("waits for what began before it", async () => {
    const running = run(fence(), `echo in > "$1/log"; sleep 0.3; echo out >> "$1/log"`, [folder]);
    await vi.waitFor(() => expect(readdirSync(folder)).toContain("log"));
    await raiseFence(server, { installation: "i1", epoch: 2 }, range, folder);
    expect(readFileSync(join(folder, "log"), "utf8")).toBe("in\nout\n");
    await running;
  });

  test("gives the highest unix id in use within a range", async () => {
    const raise = async (from: number, to: number): Promise<number> =>
      raiseFence(server, { installation: "i1", epoch: 2 }, { from, to }, folder);
    expect(await raise(0, 0)).toBe(0);
    expect(await raise(65_534, 65_534)).toBe(65_534);
    expect(await raise(1, 2)).toBe(2);
    expect(await raise(3_000_000_000, 3_000_000_001)).toBe(0);
  });
});

test("a restart is told by the boot in which the scope's fence was raised", async () => {
  const never = new AbortController().signal;
  expect(await ranOn(server, fence(), never, folder)).toBe(false);
  await run(fence());
  expect(await ranOn(server, fence(), never, folder)).toBe(true);
  writeFileSync(join(folder, "site-s1"), "i1 1 5 another-boot\n");
  expect(await ranOn(server, fence(), never, folder)).toBe(false);
  writeFileSync(join(folder, "site-s1"), "");
  expect(await ranOn(server, fence(), never, folder)).toBe(false);
});
