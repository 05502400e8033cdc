import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runStep } from "../../../test/fake-engine.ts";
import { FakeWorker, file, NEVER } from "../../../test/fake-worker.ts";
import { processHolder } from "../../store/holder.ts";
import type { EngineParts } from "../planning/task-engine.ts";
import { Worker } from "./worker.ts";
import { newHolder } from "../../store/holder.ts";
import { raiseEpoch } from "./raise-epoch.ts";

let fake: FakeWorker;

beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

/** Every lease in it is one that lives as long. */
function withLife(lifeMs: number): EngineParts {
  const { store } = fake.parts;
  const list = async () => (await store.leases.list()).map((lease) => ({ ...lease, lifeMs }));
  const leases = new Proxy(store.leases, {
    get: (all, name) => {
      if (name === "lifeMs") return lifeMs;
      return name === "list" ? list : (Reflect.get(all, name) as (...args: unknown[]) => unknown).bind(all);
    },
  });
  return { ...fake.parts, store: { ...store, leases } };
}

/** Its worker beats for the store that was lost: here it is not seen to beat. */
const RESTORED = (): EngineParts => withLife(40);

/** A task as a backup holds it that was taken while its second action ran. */
async function halfWay(name: string): Promise<string> {
  const gate = fake.gate("gate");
  fake.drafts.set(name, { steps: [file(`/${name}`), runStep("web1", "gate")] });
  const task = await fake.submit(name);
  void fake
    .another()
    .work(task.id, NEVER)
    .catch(() => undefined);
  await gate.reached;
  onTestFinished(() => gate.open());
  return task.id;
}

describe("after a restore", () => {
  test("an unfinished task needs attention with what it had begun, and is neither resumed nor undone", async () => {
    const id = await halfWay("a");
    const { epoch, tasks, unreached } = await raiseEpoch(RESTORED(), fake.engine.events);
    expect({ epoch, tasks, unreached }).toEqual({ epoch: 2, tasks: [id], unreached: [] });
    const outcome = await fake.task(id).outcome();
    expect(outcome).toMatchObject({ state: "needs-attention", error: { code: "HW_STORE_RESTORED" } });
    expect(outcome.error?.["remedy"]).toContain("complete");
    expect(outcome.residue.map(({ type, key }) => `${type} ${key}`)).toEqual(["run gate", "file /a"]);
    await fake.another().recoverAll(NEVER);
    expect(fake.world.snapshot()).toEqual({ web1: { "file /a": "x" } });
    const events = await fake.engine.store.events.after(0);
    expect(events.filter(({ type }) => type === "task:finished")).toHaveLength(1);
  });

  test("who still worked it learns at its next step that it is not its task any more", async () => {
    const gate = fake.gate("gate");
    fake.drafts.set("a", { steps: [runStep("web1", "gate"), file("/a")] });
    const task = await fake.submit("a");
    const working = fake.worker.work(task.id, NEVER);
    await gate.reached;
    await raiseEpoch(RESTORED(), fake.engine.events);
    gate.open();
    await expect(working).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
    expect(fake.world.snapshot()).toEqual({ web1: {} });
    expect(await fake.task(task.id).outcome()).toMatchObject({ state: "needs-attention" });
  });

  test("what is abandoned leaves everything as it is", async () => {
    const id = await halfWay("a");
    await raiseEpoch(RESTORED(), fake.engine.events);
    await fake.task(id).resolve("abandon");
    expect(await fake.task(id).outcome()).toMatchObject({ state: "undone" });
    expect(fake.world.snapshot()).toEqual({ web1: { "file /a": "x" } });
    expect(await fake.engine.store.leases.list()).toEqual([]);
  });

  test("a queued task is worked as ever, and one that needs attention stays so", async () => {
    const task = await fake.submit("b");
    await raiseEpoch(RESTORED(), fake.engine.events);
    expect(await fake.worker.work(task.id, NEVER)).toMatchObject({ state: "succeeded" });
  });

  test("a server that cannot be told is named, and the others are told all the same", async () => {
    const server = { id: "away", name: "away", connect: { type: "local" } };
    await fake.engine.store.records.put(
      { kind: "server", id: "away", name: "away", value: server },
      { expect: 0, claims: [] },
    );
    const { pool } = fake.parts;
    const away = {
      hold: async (record: { id: string }) => (record.id === "away" ? down() : pool.hold(record as never)),
    };
    const { unreached } = await raiseEpoch({ ...fake.parts, pool: away as never }, fake.engine.events);
    expect(unreached).toMatchObject([{ server: "away", message: "it is down" }]);
  });
});

test("a worker that was stopped for longer than its lease ends and forgets nothing that is another's", async () => {
  const gate = fake.gate("gate");
  fake.drafts.set("a", { steps: [runStep("web1", "gate")], eraseOnUndo: ["site/s1/"] });
  const task = await fake.submit("a");
  const working = fake.worker.work(task.id, NEVER);
  await gate.reached;
  await fake.engine.store.leases.release(task.id);
  await fake.engine.store.leases.acquire(task.id, processHolder(1), [{ scope: "site/s1", mode: "exclusive" }]);
  await fake.engine.store.secrets.add("site/s1/x", "kept");
  gate.open();
  await expect(working).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
  expect(await fake.engine.store.tasks.state(task.id)).toBe("running");
  expect((await fake.engine.store.secrets.get(["site/s1/x"])).size).toBe(1);
});

test("a worker that lost its lease before its first action ends nothing either", async () => {
  const { leases, tasks } = fake.engine.store;
  const task = await fake.submit("a");
  fake.drafts.set("a", {
    get title(): string {
      void leases.release(task.id);
      throw new Error("it woke up late");
    },
  });
  await expect(fake.worker.work(task.id, NEVER)).rejects.toMatchObject({ code: "HW_LEASE_LOST" });
  expect(await tasks.state(task.id)).toBe("running");
});

async function down(): Promise<never> {
  throw new Error("it is down");
}

test.each([
  ["of this machine", "machine", newHolder()],
  ["of another machine", "network", newHolder().replace(/:[0-9a-f-]{36}:/, ":00000000-0000-4000-8000-000000000000:")],
] as const)(
  "a store that a worker %s is at was not restored just now: its tasks are left to it",
  async (_whose, reach, holder) => {
    const gate = fake.gate("gate");
    fake.drafts.set("a", { steps: [runStep("web1", "gate"), file("/a")] });
    const task = await fake.submit("a");
    const shorter = withLife(120);
    const parts = { ...shorter, store: { ...shorter.store, reach } };
    const working = new Worker(parts, fake.engine.events, holder).work(task.id, NEVER);
    await gate.reached;
    await expect(raiseEpoch(parts, fake.engine.events)).rejects.toMatchObject({ code: "HW_TASK_STATE" });
    expect((await fake.engine.store.identity()).epoch).toBe(1);
    gate.open();
    expect(await working).toMatchObject({ state: "succeeded" });
    expect(await raiseEpoch(parts, fake.engine.events)).toMatchObject({ epoch: 2, tasks: [] });
  },
);
