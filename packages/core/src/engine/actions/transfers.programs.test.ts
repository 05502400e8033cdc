import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runStep, serverRecord, transferStep } from "../../../test/fake-engine.ts";
import { FakeWorker, NEVER } from "../../../test/fake-worker.ts";
import { UnitServer } from "../../../test/unit-server.ts";
import type { Step, TransferStep } from "../../contracts/steps.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";

const TEXT = "some text\n".repeat(1000);

let fake: FakeWorker;
let servers: Map<string, UnitServer>;
let taken: string;
let given: string;

beforeEach(async () => {
  servers = new Map(["web1", "db1"].map((name) => [name, new UnitServer(name)]));
  fake = await FakeWorker.open(undefined, (name) => servers.get(name) as UnitServer);
  const db1 = { kind: "server", id: "db1", name: "db1", value: serverRecord("db1") } as const;
  await fake.engine.store.records.put(db1, { expect: 0, claims: [] });
  const folder = mkdtempSync(join(tmpdir(), "hostwright-transfers-"));
  [given, taken] = [join(folder, "given"), join(folder, "taken")];
  writeFileSync(given, TEXT);
  onTestFinished(async () => {
    await fake[Symbol.asyncDispose]();
    for (const server of servers.values()) await server.close();
    rmSync(folder, { recursive: true });
  });
});

/** From web1 to db1; half of it is there when it says `half`, and the source then waits for nothing. */
function carry({
  resume = false,
  ...change
}: Partial<TransferStep> & { readonly resume?: boolean } = {}): TransferStep {
  const step = transferStep("web1", "db1", { id: "carry", ...change });
  const give = `read -r there; tail -c "+$((\${there:-0} + 1))" ${given}`;
  const take = ["/bin/sh", "-c", `cat >> ${taken}`];
  const asked = ["/bin/sh", "-c", `stat -c %s ${taken} 2>/dev/null || :`];
  return {
    ...step,
    from: { ...step.from, argv: ["/bin/sh", "-c", give] },
    to: { ...step.to, argv: take, ...(resume && { resume: asked }) },
  };
}

/** Its first attempt ends so at the source, whatever the sink has taken by then. */
function failOnce(error: HostwrightError): void {
  const web1 = servers.get("web1") as UnitServer;
  web1.onScript = ({ args = [] }) => {
    if (!args.some((word) => word.endsWith("-from") && word.startsWith("--unit="))) return;
    web1.onScript = () => undefined;
    writeFileSync(taken, TEXT.slice(0, 4000));
    throw error;
  };
}

const dead = new HostwrightError("HW_LEASE_LOST", "dead");

async function submit(...steps: readonly Step[]): Promise<string> {
  fake.drafts.set("a", { about: [], steps, outputs: { bytes: { ref: "output", step: "carry", name: "bytes" } } });
  return (await fake.submit("a")).id;
}

const outcome = async (id: string): Promise<unknown> => fake.task(id).outcome();

test("what it moved is the task's, and it is told like any action", async () => {
  const id = await submit(carry());
  expect(await fake.worker.work(id, NEVER)).toMatchObject({ state: "succeeded", value: { bytes: TEXT.length } });
  expect(readFileSync(taken, "utf8")).toBe(TEXT);
  const told = (await fake.engine.store.events.after(0)).map(({ type }) => type);
  expect(told).toEqual(expect.arrayContaining(["action:started", "action:finished"]));
});

describe("when its worker dies in the middle", () => {
  test("it goes on from what is there where its sink knows that", async () => {
    failOnce(dead);
    const id = await submit(carry({ resume: true }));
    await expect(fake.worker.work(id, NEVER)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
    await fake.worker.recoverAll(NEVER);
    expect(await outcome(id)).toMatchObject({ state: "succeeded", value: { bytes: TEXT.length - 4000 } });
    expect(readFileSync(taken, "utf8")).toBe(TEXT);
  });

  test("it is taken back where nobody knows", async () => {
    failOnce(dead);
    const id = await submit(carry());
    await expect(fake.worker.work(id, NEVER)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
    await fake.worker.recoverAll(NEVER);
    expect(await outcome(id)).toMatchObject({ state: "undone", residue: [], error: { code: "HW_INTERRUPTED" } });
  });

  test("what still runs of it is stopped by its name at both ends before it goes on", async () => {
    failOnce(dead);
    const id = await submit(carry({ resume: true }));
    await expect(fake.worker.work(id, NEVER)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
    const [{ attempt } = { attempt: "" }] = await fake.engine.store.journal.read(id);
    const seen: string[] = [];
    for (const [name, server] of servers)
      server.onScript = ({ args = [] }) => {
        if (args[0]?.startsWith(attempt) === true) seen.push(`${name} ${args[0].slice(attempt.length)}`);
        if (args.some((word) => word.startsWith("--unit="))) seen.push("goes on");
      };
    await fake.worker.recoverAll(NEVER);
    expect(seen.slice(0, 4).toSorted()).toEqual(["db1 -has", "db1 -to", "goes on", "web1 -from"]);
    expect(seen[3]).toBe("goes on");
  });
});

test("a connection that is lost is waited for where it can go on, and takes it back where it cannot", async () => {
  const lost = new HostwrightError("HW_SSH_LOST", "lost", { retryable: true });
  failOnce(lost);
  const first = await submit(carry({ resume: true }));
  expect(await fake.worker.work(first, NEVER)).toMatchObject({ state: "succeeded" });
  expect(readFileSync(taken, "utf8")).toBe(TEXT);
  failOnce(lost);
  const second = await submit(carry());
  expect(await fake.worker.work(second, NEVER)).toMatchObject({ state: "undone", error: { code: "HW_SSH_LOST" } });
});

test("one that fails takes back what came before it, and leaves nothing running", async () => {
  const step = carry();
  const id = await submit(runStep("web1", "before"), { ...step, to: { ...step.to, argv: ["/bin/false"] } });
  const undone: string[] = [];
  fake.engine.operation("before", { undo: async () => void undone.push("before") });
  expect(await fake.worker.work(id, NEVER)).toMatchObject({ state: "undone", error: { code: "HW_TRANSFER_FAILED" } });
  expect(undone).toEqual(["before"]);
  for (const { units } of servers.values()) expect([...units.keys()]).toEqual([]);
});
