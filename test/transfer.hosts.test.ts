import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createHostwright, type Hostwright, type HostwrightError, type Listener } from "@hostwright/core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "./hosts/hosts.ts";
import { carry, carrying } from "./support/carry-plugin.ts";
import { figure } from "./support/figures.ts";
import { connect } from "./support/fleet.ts";

const MEGABYTE = 1_000_000;
const BYTES = 300 * MEGABYTE;
const GIVEN = "/srv/carried/given";
const TAKEN = "/srv/carried/taken";
/** Says by a file of its own that its input came to an end. */
const TAKE = ["/bin/sh", "-c", `cat >> ${TAKEN} && echo whole > /srv/carried/ended`];

let hosts: TestHosts;
let giver: TestHost;
let taker: TestHost;
let hw: Hostwright;
let stateDir: string;

beforeAll(async () => {
  hosts = await startHosts([{ name: "giver" }, { name: "taker" }]);
  [giver, taker] = [hosts.host("giver"), hosts.host("taker")];
  stateDir = await mkdtemp(join(tmpdir(), "hostwright-transfer-"));
  hw = await createHostwright({ stateDir, plugins: [carrying] });
  for (const host of [giver, taker]) {
    await host.sh("install -d -o nobody /srv/carried");
    await hw.servers.put({ name: host.name, connect: connect(host), services: [] });
  }
  await giver.sh(`head -c ${BYTES} /dev/urandom > ${GIVEN}`);
});

afterAll(async () => {
  await hw?.[Symbol.asyncDispose]();
  await hosts?.stop();
  if (stateDir !== undefined) await rm(stateDir, { recursive: true, force: true });
});

beforeEach(async () => taker.sh(`rm -f ${TAKEN} /srv/carried/ended`));

type Order = Parameters<typeof carry>[0];

const order = (change: Partial<Order>): Order => ({
  from: "giver",
  to: "taker",
  give: ["/bin/cat", GIVEN],
  take: TAKE,
  idleMs: 60_000,
  ...change,
});

async function failure(
  change: Partial<Order>,
  options: Parameters<Hostwright["run"]>[1] = {},
): Promise<HostwrightError> {
  const error: unknown = await hw.run(carry(order(change)), options).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ data: { state: "undone", residue: [] } });
  return error as HostwrightError;
}

/** Neither a unit nor a program, and no sink has taken it for whole. */
async function expectNothingLeft(): Promise<void> {
  for (const host of [giver, taker]) {
    expect(await host.sh("systemctl list-units --all --no-legend 'hostwright-*'")).toBe("");
    expect(await host.sh("ps -u nobody -o args= || :")).toBe("");
  }
  expect(await taker.sh("ls /srv/carried")).not.toContain("ended");
}

const digest = async (host: TestHost, path: string): Promise<string> => host.sh(`sha256sum < ${path}`);

test("between two hosts all bytes arrive, through this process, which holds few of them", async () => {
  let most = 0;
  const progress: number[] = [];
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers)), 20);
  const before = process.memoryUsage().arrayBuffers;
  const onEvent: Listener = ({ type, payload }) => void (type === "action:progress" && progress.push(payload.bytes));
  const started = performance.now();
  // Slower than what gives them: they would pile up.
  const slow = [
    "/usr/bin/perl",
    "-e",
    `while (sysread STDIN, $_, 1 << 20) { print; select undef, undef, undef, 0.001 }`,
  ];
  const take = ["/bin/sh", "-c", `"$@" > ${TAKEN} && echo whole > /srv/carried/ended`, "sh", ...slow];
  const value = await hw.run(carry(order({ take, bytes: BYTES })), { onEvent });
  clearInterval(watch);
  figure("a transfer of 300 MB between hosts, ms", Math.round(performance.now() - started));
  figure("  memory of its streams at most, MB", Math.round((most - before) / MEGABYTE));
  expect(value).toEqual({ bytes: BYTES });
  expect(await digest(taker, TAKEN)).toBe(await digest(giver, GIVEN));
  expect(most - before).toBeLessThan(100 * MEGABYTE);
  expect(progress.length).toBeGreaterThan(1);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  expect(progress.at(-1)).toBeLessThanOrEqual(BYTES);
});

test("on one host no byte of them comes here", async () => {
  const server = "giver";
  const value = await hw.run(
    carry(order({ to: server, take: ["/bin/sh", "-c", `cat > ${TAKEN}; cat /dev/fd/3 >> ${TAKEN}`] })),
  );
  expect(value).toEqual({ bytes: BYTES });
  expect(await giver.sh(`tail -c 10 ${TAKEN}`)).toBe("who it is\n");
  await giver.sh(`rm ${TAKEN}`);
});

test.each([
  [
    "one that gives nothing any more",
    "giver",
    { give: ["/bin/sh", "-c", "echo some; sleep 600"] },
    "gave no byte for 2 s",
  ],
  ["one that takes nothing any more", "taker", { take: ["/bin/sleep", "600"] }, "took no byte for 2 s"],
])("%s is stopped, and named", async (_what, server, change, said) => {
  const error = await failure({ ...change, idleMs: 2000 });
  expect(error).toMatchObject({ code: "HW_TRANSFER_STALLED", server });
  expect(error.message).toContain(said);
  await expectNothingLeft();
});

test.each([
  [
    "that fails",
    { give: ["/bin/sh", "-c", `head -c 20000000 ${GIVEN}; echo oh no >&2; exit 3`] },
    "ended with exit code 3",
  ],
  [
    "without its last line",
    { give: ["/bin/echo", "some"], trailer: "-- Done" },
    'last line of a whole stream, "-- Done"',
  ],
])("a source %s leaves nothing that is taken for whole", async (_what, change, said) => {
  const error = await failure(change);
  expect(error).toMatchObject({ code: "HW_TRANSFER_FAILED", server: "giver" });
  expect(error.message).toContain(said);
  await expectNothingLeft();
});

test("a sink that ends well too early has not taken all", async () => {
  const error = await failure({ take: ["/usr/bin/head", "-c", "1000"] });
  expect(error).toMatchObject({ code: "HW_TRANSFER_FAILED", server: "taker" });
  expect(error.message).toContain("ended before it had taken all");
  await expectNothingLeft();
});

test("a full disk is told as one", async () => {
  const error = await failure({ take: ["/bin/sh", "-c", "cat > /dev/full"] });
  expect(error).toMatchObject({ code: "HW_DISK_FULL", server: "taker" });
});

test.each(["taker", "giver"])("a cancel stops both ends at once, to %s", async (to) => {
  const stop = new AbortController();
  const ends: Promise<number>[] = [];
  const ended = async (host: TestHost): Promise<number> => {
    const began = performance.now();
    await host.sh("while pgrep -u nobody > /dev/null; do sleep 0.05; done");
    return Math.round(performance.now() - began);
  };
  const onEvent: Listener = ({ type }) => {
    if (type !== "action:started") return;
    setTimeout(() => {
      stop.abort();
      ends.push(ended(giver), ended(taker));
    }, 1500);
  };
  const give = ["/bin/sh", "-c", "trap '' TERM; while echo some; do sleep 0.1; done"];
  const take = ["/bin/sh", "-c", "trap '' TERM; cat > /dev/null"];
  const error = await failure({ to, give, take }, { signal: stop.signal, onEvent });
  expect(error.code).toBe("HW_CANCELLED");
  const times = await Promise.all(ends);
  figure(`programs of a cancelled transfer to ${to} end after, ms`, times.join(", "));
  // Of a machine that does other things as well.
  expect(Math.max(...times)).toBeLessThan(5000);
  await expectNothingLeft();
});

test("a source whose unit is killed broke off", async () => {
  const kill = async (): Promise<void> => {
    await delay(1500);
    await giver.sh("systemctl kill -s KILL 'hostwright-*-from.service'");
  };
  const onEvent: Listener = ({ type }) => void (type === "action:started" && kill());
  const error = await failure({ give: ["/bin/sh", "-c", "while echo some; do sleep 0.1; done"] }, { onEvent });
  expect(error).toMatchObject({ code: "HW_TRANSFER_FAILED", server: "giver" });
  expect(error.message).toContain("broke off in the middle");
  await expectNothingLeft();
});

test.each([true, false])(
  "a worker that is killed in the middle: the next one goes on from there where it can (%s)",
  async (can) => {
    // Half of it at once, and the rest so slowly that nobody waits for it.
    const slow = `$n = <STDIN> || 0; open F, "<", "${GIVEN}"; seek F, $n, 0; while (sysread F, $_, 1e6) { print; $at++; sleep 1 if !$n && $at > 100 }`;
    const resume = ["/bin/sh", "-c", `stat -c %s ${TAKEN} 2>/dev/null || :`];
    const { id } = await hw.submit(
      carry(order({ give: ["/usr/bin/perl", "-e", `$| = 1; ${slow}`], ...(can && { resume }) })),
    );
    const script = join(import.meta.dirname, "support/carry-worker.ts");
    const worker = spawn(process.execPath, ["--conditions=@hostwright/source", script, stateDir, id], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of worker.stdout) if (Number(String(line).trim().split("\n").at(-1)) > 100 * MEGABYTE) break;
    const gone = once(worker, "exit");
    worker.kill("SIGKILL");
    await gone;
    await using _next = hw.work();
    const { state, error, value, residue } = await hw.task(id).outcome();
    expect(residue).toEqual([]);
    if (can) {
      const { bytes, resumedFrom = 0 } = value as { readonly bytes: number; readonly resumedFrom?: number };
      expect([state, bytes + resumedFrom]).toEqual(["succeeded", BYTES]);
      expect(resumedFrom).toBeGreaterThan(100 * MEGABYTE);
      expect(await digest(taker, TAKEN)).toBe(await digest(giver, GIVEN));
    } else {
      expect([state, error?.code]).toEqual(["undone", "HW_INTERRUPTED"]);
      await expectNothingLeft();
    }
  },
);
