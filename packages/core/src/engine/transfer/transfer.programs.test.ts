import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { testTarget } from "../../../test/test-target.ts";
import { UnitServer } from "../../../test/unit-server.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { TransferAction } from "../planning/plan.ts";
import { runTransfer, type TransferContext } from "./transfer.ts";

let [giver, taker]: UnitServer[] = [];
let folder: string;
let given: string;
let taken: string;
let progress: number[];

beforeEach(() => {
  [giver, taker] = [new UnitServer("giver"), new UnitServer("taker")];
  folder = mkdtempSync(join(tmpdir(), "hostwright-transfer-"));
  [given, taken, progress] = [join(folder, "given"), join(folder, "taken"), []];
  writeFileSync(given, "some text\n".repeat(200_000));
  onTestFinished(async () => {
    await Promise.all([giver?.close(), taker?.close()]);
    rmSync(folder, { recursive: true });
  });
});

const sh = (script: string): readonly string[] => ["/bin/sh", "-c", script];

interface Change {
  readonly give?: readonly string[];
  readonly take?: readonly string[];
  readonly resume?: readonly string[];
  readonly trailer?: string;
  readonly same?: boolean;
}

function action({ give, take, resume, trailer, same = false }: Change): TransferAction {
  const end = {
    kind: "program",
    properties: [],
    login: { parts: ["as ", { ref: "secret", id: "who", label: "who" }] },
  } as const;
  return {
    kind: "transfer",
    title: "carry it",
    server: same ? "giver" : "taker",
    serverName: same ? "giver" : "taker",
    phase: "prepare",
    from: {
      ...end,
      server: "giver",
      serverName: "giver",
      argv: give ?? ["/bin/cat", given],
      ...(trailer !== undefined && { trailer }),
    },
    to: { ...end, argv: take ?? sh(`cat >> ${taken}`), ...(resume !== undefined && { resume }) },
    bytes: null,
    idleMs: 1000,
    timeoutMs: 60_000,
  };
}

async function run(change: Change, signal?: AbortSignal): ReturnType<typeof runTransfer> {
  const targetOf = (server: UnitServer | undefined): TransferContext["from"] => ({
    ...testTarget({ who: "hush" }, server),
    ...(signal && { signal, mutate: async (script) => (server as UnitServer).script({ signal, ...script }) }),
  });
  return runTransfer(action(change), {
    from: targetOf(giver),
    to: targetOf(change.same === true ? giver : taker),
    attempt: "a1",
    redact: (text) => text.replaceAll("hush", "[who]"),
    onBytes: (bytes) => progress.push(bytes),
  });
}

async function failure(change: Change): Promise<HostwrightError> {
  const error: unknown = await run(change).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(HostwrightError);
  return error as HostwrightError;
}

describe.each([true, false])("on one server: %s", (same) => {
  test("all bytes arrive, are counted, and progress never falls", async () => {
    expect(await run({ same })).toEqual({ bytes: 2_000_000 });
    expect(readFileSync(taken, "utf8")).toBe(readFileSync(given, "utf8"));
    expect(progress.at(-1)).toBe(2_000_000);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });

  test("what is there already goes to the source, which sends the rest", async () => {
    writeFileSync(taken, "some text\n".repeat(50_000));
    const give = sh(`read -r there; tail -c "+$((there + 1))" ${given}`);
    const resume = sh(`stat -c %s ${taken}`);
    expect(await run({ same, give, resume })).toEqual({ bytes: 1_500_000, resumedFrom: 500_000 });
    expect(readFileSync(taken, "utf8")).toBe(readFileSync(given, "utf8"));
    expect(progress.at(-1)).toBe(2_000_000);
  });

  test("both ends log in by what only they may read", async () => {
    await run({ same, give: sh("cat /dev/fd/3"), take: sh(`cat - /dev/fd/3 > ${taken}`) });
    expect(readFileSync(taken, "utf8")).toBe("as hushas hush");
  });

  test.each<readonly [string, Change, string, string, string]>([
    [
      "a source that stands still",
      { give: sh("echo some; sleep 60") },
      "HW_TRANSFER_STALLED",
      "giver",
      "gave no byte for 1 s",
    ],
    ["a sink that stands still", { take: sh("sleep 60") }, "HW_TRANSFER_STALLED", "taker", "took no byte for 1 s"],
    [
      "a source that fails",
      { give: sh("echo hush >&2; exit 3") },
      "HW_TRANSFER_FAILED",
      "giver",
      "ended with exit code 3",
    ],
    ["a source that is not there", { give: ["/no/such"] }, "HW_TRANSFER_FAILED", "giver", "ended with exit code 127"],
    [
      "a source without its end",
      { trailer: "-- Done" },
      "HW_TRANSFER_FAILED",
      "giver",
      'last line of a whole stream, "-- Done"',
    ],
    ["a sink that fails", { take: sh("exit 4") }, "HW_TRANSFER_FAILED", "taker", "ended with exit code 4"],
    [
      "a short sink",
      { take: ["/usr/bin/head", "-c", "9"] },
      "HW_TRANSFER_FAILED",
      "taker",
      "ended before it had taken all",
    ],
    [
      "a sink that leaves the last bytes",
      { give: ["/bin/echo", "some more"], take: ["/usr/bin/head", "-c", "3"] },
      "HW_TRANSFER_FAILED",
      "taker",
      "took 3 of 10 bytes",
    ],
    ["a full disk", { take: sh("cat > /dev/full") }, "HW_DISK_FULL", "taker", "ended with exit code 1"],
  ])("%s is told with its code and its server, and nothing lives on", async (_what, change, code, server, said) => {
    const error = await failure({ ...change, same });
    expect(error).toMatchObject({ code, server: same ? "giver" : server });
    expect(error.message).toContain(said);
    expect(`${error.message}${error.output ?? ""}`).not.toContain("hush");
    for (const host of [giver, taker]) expect([...(host?.units.keys() ?? [])]).toEqual([]);
  });

  test("a cancel ends both, and nothing lives on", async () => {
    const stop = new AbortController();
    const running = run({ same, give: sh("trap '' TERM; while echo some; do sleep 0.1; done") }, stop.signal);
    running.catch(() => undefined);
    await expect.poll(() => progress.length, { timeout: 10_000 }).toBeGreaterThan(1);
    const pids = [giver, taker].flatMap((host) => [...(host?.units.values() ?? [])]);
    expect(pids.length).toBe(2);
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: "HW_CANCELLED" });
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});

test("a sink that cannot say what is there is not given anything", async () => {
  expect(await failure({ resume: sh("exit 1") })).toMatchObject({ code: "HW_TRANSFER_FAILED", server: "taker" });
  expect(await failure({ resume: sh("head -c 1100000 /dev/zero") })).toMatchObject({ code: "HW_TRANSFER_FAILED" });
  expect([...(giver?.units.keys() ?? [])]).toEqual([]);
});

test("a server that is lost on the way says so, and the other end is stopped", async () => {
  const lost = new HostwrightError("HW_SSH_LOST", "lost", { retryable: true });
  if (giver !== undefined)
    giver.onScript = () => {
      throw lost;
    };
  await expect(run({})).rejects.toBe(lost);
  expect([...(taker?.units.keys() ?? [])]).toEqual([]);
});
