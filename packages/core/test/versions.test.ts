import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { resolveTask } from "../src/engine/workers/resolve.ts";
import type { StoredOutcome } from "../src/engine/workers/stored-outcome.ts";
import type { Worker } from "../src/engine/workers/worker.ts";
import { working } from "./fake-worker.ts";
import { Death, TwoVersions, V1, V2, V2_ALONE } from "./two-versions.ts";

const NEVER = new AbortController().signal;
/** Many stores are opened and closed. */
const LONG_MS = 120_000;

const WORK = { type: "test:work" };
const FAILS = { type: "test:work", fails: true };

const OLD = 'v1 {"size":"64 MB"}';
const NEW = 'v2 {"megabytes":64}';
const MISSING = ["operation blog-copy@1 (blog-plugin)", "operation blog-check@1 (blog-plugin)"];
const WHOLE = { "copy /c": `${OLD} by copy 1`, "file /a": OLD, "file /late": OLD, "thing /b": OLD };

let two: TwoVersions;

async function open(): Promise<void> {
  two = await TwoVersions.open();
}

beforeEach(async () => {
  await open();
  onTestFinished(async () => two[Symbol.asyncDispose]());
});

/** Lets a worker with version 1 die at that moment of its task; null when it came to its end before. */
async function begun(request: typeof WORK, moment: number): Promise<string | null> {
  const id = await two.submit(request);
  const death = new Death(moment);
  await two
    .dying(V1, death)
    .work(id, NEVER)
    .catch(() => undefined);
  two.world.onEffect = two.world.afterEffect = () => undefined;
  return death.came ? id : null;
}

async function outcomeOf(id: string): Promise<StoredOutcome> {
  return (await two.engine.store.tasks.get(id))?.outcome as StoredOutcome;
}

const snapshot = (): Record<string, string> => two.world.snapshot()["web1"] ?? {};

describe("a task that version 1 began and died in is ended by version 2, which has its operations", () => {
  test(
    "as the plan says, at every moment; what the new version renders otherwise is the next verify's",
    { timeout: LONG_MS },
    async () => {
      let moments = 0;
      for (; ; moments++) {
        const id = await begun(WORK, moments + 1);
        if (id === null) break;
        await two.worker(V2).recover(id);
        expect(await outcomeOf(id)).toMatchObject({ state: "succeeded", residue: [] });
        expect(snapshot()).toEqual(WHOLE);
        expect(await two.changes(V2)).toEqual(["/a", "/b", "/late"].map((key) => `${key}: ${OLD} -> ${NEW}`));
        const verify = await two.submit({ type: "test:verify" });
        await two.worker(V2).work(verify, NEVER);
        expect(snapshot()).toEqual({ ...WHOLE, "file /a": NEW, "thing /b": NEW, "file /late": NEW });
        expect(await two.changes(V2)).toEqual([]);
        await two[Symbol.asyncDispose]();
        await open();
      }
      expect(moments).toBeGreaterThan(15);
    },
  );

  test("as the journal says, when it is to be undone", { timeout: LONG_MS }, async () => {
    let moments = 0;
    for (; ; moments++) {
      const id = await begun(FAILS, moments + 1);
      if (id === null) break;
      await two.worker(V2).recover(id);
      expect(await outcomeOf(id)).toMatchObject({ state: "undone", residue: [] });
      expect(snapshot()).toEqual({});
      await two[Symbol.asyncDispose]();
      await open();
    }
    expect(moments).toBeGreaterThan(15);
  });
});

describe("a version that dropped an operation leaves its unfinished tasks", () => {
  test("as they are, at every moment, until one comes that has it", { timeout: LONG_MS }, async () => {
    let moments = 0;
    for (; ; moments++) {
      const id = await begun(WORK, moments + 1);
      if (id === null) break;
      const before = snapshot();
      const worker = two.worker(V2_ALONE);
      await worker.recoverAll(NEVER);
      await worker.recoverAll(NEVER);
      expect(snapshot()).toEqual(before);
      expect(await two.stranded()).toEqual([{ missing: MISSING }]);
      expect(await worker.stranding.list()).toEqual([
        { task: id, type: "test:work", state: "running", missing: MISSING },
      ]);
      await two.worker(V1).recover(id);
      expect(await outcomeOf(id)).toMatchObject({ state: "succeeded", residue: [] });
      expect(snapshot()).toEqual(WHOLE);
      expect(await worker.stranding.list()).toEqual([]);
      await two[Symbol.asyncDispose]();
      await open();
    }
    expect(moments).toBeGreaterThan(15);
  });

  test("and undoes none of them by half", async () => {
    const id = (await begun(FAILS, 14)) ?? "";
    const before = snapshot();
    await two.engine.store.tasks.move(id, ["running"], "cancelling");
    await two.worker(V2_ALONE).recoverAll(NEVER);
    expect(snapshot()).toEqual(before);
    expect(await two.engine.store.tasks.state(id)).toBe("cancelling");
    await two.worker(V2).recoverAll(NEVER);
    expect(await outcomeOf(id)).toMatchObject({ state: "undone", residue: [] });
    expect(snapshot()).toEqual({});
  });

  test("and says nothing of those that somebody is at who has it", async () => {
    const working = Promise.withResolvers<void>();
    two.onCopy = async () => working.promise;
    const id = await two.submit(WORK);
    const ended = two.worker(V1).work(id, NEVER);
    await vi.waitFor(async () => expect(await two.engine.store.journal.read(id)).toHaveLength(3), 30_000);
    const worker = two.worker(V2_ALONE);
    await worker.stranding.tell(NEVER);
    await worker.recoverAll(NEVER);
    expect(await worker.stranding.list()).toEqual([]);
    expect(await two.stranded()).toEqual([]);
    working.resolve();
    expect(await ended).toMatchObject({ state: "succeeded" });
  });

  test("with their leases: nobody works on that site meanwhile", async () => {
    const id = (await begun(WORK, 8)) ?? "";
    const other = await two.submit({ type: "test:verify" });
    const cancel = new AbortController();
    const working = two.worker(V2_ALONE).work(other, cancel.signal);
    setTimeout(() => cancel.abort(), 300);
    expect(await working).toMatchObject({ state: "undone", error: { code: "HW_CANCELLED" } });
    expect(await two.engine.store.tasks.state(id)).toBe("running");
  });
});

describe("an approved plan that names what an instance does not know", () => {
  let worker: Worker;
  let id: string;
  const state = async (): Promise<unknown> => two.engine.store.tasks.state(id);

  beforeEach(async () => {
    id = await two.approve(V1, WORK);
    worker = two.worker(V2_ALONE);
  });

  test("stays queued, is told once for each worker, and is worked by one that knows it", async () => {
    expect(await worker.work(id, NEVER)).toBeNull();
    expect(await worker.work(id, NEVER)).toBeNull();
    expect(await two.stranded()).toEqual([{ missing: MISSING }]);
    expect(await state()).toBe("queued");
    expect(await two.engine.store.leases.list()).toEqual([]);
    await two.worker(V2_ALONE).work(id, NEVER);
    expect(await two.stranded()).toHaveLength(2);
    await two.worker(V2).work(id, NEVER);
    expect(snapshot()).toEqual(WHOLE);
  });

  test("is in nobody's way in the queue, and told when that starts", { timeout: LONG_MS }, async () => {
    for (let count = 0; count < 12; count++) await two.approve(V1, WORK);
    const behind = await two.submit({ type: "test:verify" });
    const queue = working(worker, 1);
    await vi.waitFor(async () => expect(await two.engine.store.tasks.state(behind)).toBe("succeeded"), 30_000);
    await vi.waitFor(async () => expect(await two.stranded()).toHaveLength(13), 30_000);
    await queue[Symbol.asyncDispose]();
    expect(await state()).toBe("queued");
    expect(await worker.stranding.list()).toHaveLength(13);
  });

  test("is told at the start of a worker that has no time for it", { timeout: LONG_MS }, async () => {
    const busy = Promise.withResolvers<void>();
    two.onCopy = async () => busy.promise;
    await two.submit(WORK);
    await two.approve(V1, WORK);
    const queue = working(worker, 1);
    await vi.waitFor(async () => expect(await two.stranded()).toHaveLength(2), 30_000);
    busy.resolve();
    await queue[Symbol.asyncDispose]();
  });

  test("is looked at once until its end, and then forgotten", async () => {
    const able = two.worker(V2);
    const read = vi.spyOn(two.engine.store.tasks, "get");
    const looks = async (): Promise<number> => {
      read.mockClear();
      await able.stranding.leaves(id);
      return read.mock.calls.length;
    };
    expect([await looks(), await looks()]).toEqual([1, 0]);
    await able.work(id, NEVER);
    expect(await state()).toBe("succeeded");
    expect(await looks()).toBe(1);
    expect([...able.stranding.ids]).toEqual([]);
    read.mockRestore();
  });

  test("is told apart without a look at those that are known", async () => {
    const { stranding } = worker;
    const before = stranding.ids;
    await stranding.leaves(id);
    expect([...stranding.ids]).toEqual([id]);
    expect(stranding.ids).toBe(before);
    await two.worker(V2).work(id, NEVER);
    await stranding.refresh();
    expect([...stranding.ids]).toEqual([]);
  });

  test("ends at once where it was to be run here and now", async () => {
    await worker.work(id, NEVER);
    await worker.stranding.refuse(id);
    const error = { code: "HW_PLUGIN_MISSING", message: expect.stringContaining("blog-copy@1") as unknown };
    expect(await outcomeOf(id)).toMatchObject({ state: "undone", residue: [], error });
    expect(two.world.effects).toEqual([]);
  });

  test("is left alone also for a resource type of another version, and worked when that is back", async () => {
    await two.worker({ ...V1, typeVersion: 2 }).work(id, NEVER);
    expect(await two.stranded()).toEqual([{ missing: ["resource type thing@1 (blog-plugin)"] }]);
    await two.worker(V1).work(id, NEVER);
    expect(await state()).toBe("succeeded");
  });

  test("is left alone while a service that its resource types ask has options of a newer version", async () => {
    await two.putService(2);
    const careful = two.worker(V1);
    expect(await careful.work(id, NEVER)).toBeNull();
    expect(await two.stranded()).toEqual([{ missing: [expect.stringContaining("are of version 2")] }]);
    await two.putService(1);
    expect(await careful.work(id, NEVER)).toBeNull();
    await careful.recoverAll(NEVER);
    expect(await careful.work(id, NEVER)).toMatchObject({ state: "succeeded" });
  });
});

test("what the new version plans itself asks for its own operations", async () => {
  await two.worker(V2).work(await two.submit(WORK), NEVER);
  expect(snapshot()["copy /c"]).toBe(`${NEW} by copy 2`);
});

test("a request for a site whose plugin is absent ends with that, and nothing is changed", async () => {
  const id = await two.submit(WORK);
  await two.worker(null).work(id, NEVER);
  expect(await outcomeOf(id)).toMatchObject({ state: "undone", residue: [], error: { code: "HW_PLUGIN_MISSING" } });
  expect(two.world.effects).toEqual([]);
  expect(await two.engine.store.leases.list()).toEqual([]);
});

test("what needs attention is not undone once more without its plugin, and keeps its leases", async () => {
  const id = (await begun(WORK, 12)) ?? "";
  const outcome = { state: "needs-attention", value: {}, error: null, residue: [] };
  await two.engine.store.tasks.move(id, ["running"], "needs-attention", { outcome });
  const before = snapshot();
  await expect(resolveTask(two.worker(V2_ALONE), two.engine.store, id, "retry")).rejects.toMatchObject({
    code: "HW_PLUGIN_MISSING",
  });
  expect(snapshot()).toEqual(before);
  expect(await two.engine.store.tasks.state(id)).toBe("needs-attention");
  expect((await two.engine.store.leases.list()).map(({ scope }) => scope)).toContain("site/s1");
  expect(await resolveTask(two.worker(V2), two.engine.store, id, "retry")).toMatchObject({ state: "undone" });
  expect(snapshot()).toEqual({});
});
