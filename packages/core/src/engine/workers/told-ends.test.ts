import { expect, test } from "vitest";
import { FakeWorker, NEVER } from "../../../test/fake-worker.ts";
import { changedStore } from "../../../test/changed-store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { maintain } from "../maintenance/maintain.ts";
import { endQueued } from "./end-queued.ts";
import { SYSTEM_CLOCK } from "../../model/time.ts";
import { Worker } from "./worker.ts";

const DEAD = "1:1:00000000-0000-0000-0000-000000000000:1";
const DAY_MS = 86_400_000;
const NOTHING = { deleteRecords: [], discards: [], eraseSecrets: [] };

test("the end of a task whose worker stores it and dies while another one looks at it is told", async () => {
  await using fake = await FakeWorker.open();
  const { store, events } = fake.engine;
  const { id } = await fake.submit("a");
  await store.leases.claim(id, DEAD);
  const outcome = { state: "succeeded", value: {}, error: null, residue: [] };
  const finishedAt = new Date().toISOString();
  const looked = changedStore(store, ({ tasks }) => ({
    tasks: {
      ...tasks,
      get: async (task) => tasks.get(task),
      state: async (task) => {
        const state = await tasks.state(task);
        const end = { state: "succeeded", outcome, finishedAt, ...NOTHING } as const;
        if (state === "running") await store.held(id, DEAD).tasks.end(id, ["running"], end);
        return state;
      },
    },
  }));
  await new Worker({ ...fake.parts, store: looked }, events).recover(id);
  const told = (await store.events.after(0)).filter(({ task, type }) => task === id && type === "task:finished");
  expect([await store.tasks.state(id), told.length, await store.leases.list()]).toEqual(["succeeded", 1, []]);
});

test("a cancel that is stored is no failure because its lease cannot be let go", async () => {
  await using fake = await FakeWorker.open();
  const { store, events } = fake.engine;
  const { id } = await fake.submit("a");
  const busy = async (): Promise<never> => {
    throw new HostwrightError("HW_STORE_BUSY", "busy", { retryable: true });
  };
  const leases = Object.assign(Object.create(store.leases) as typeof store.leases, { release: busy });
  const stuck = { ...store, leases };
  expect(
    await endQueued({ store: stuck, clock: SYSTEM_CLOCK }, events, id, new HostwrightError("HW_CANCELLED", "no")),
  ).toMatchObject({
    state: "undone",
  });
  expect(await store.tasks.state(id)).toBe("undone");
});

test("secrets of an ended child go by their time though its parent goes on", async () => {
  await using fake = await FakeWorker.open();
  const { store } = fake.engine;
  const parent = await fake.submit("p");
  await store.tasks.move(parent.id, ["queued"], "running");
  const child = await fake.submit("c", { parent: parent.id });
  await fake.worker.work(child.id, NEVER);
  await store.secrets.add(`task/${child.id}/link`, "x");
  await maintain(fake.parts, NEVER, Date.now() + 3 * DAY_MS);
  expect(await store.secrets.list("task/", { limit: 10 })).toEqual([]);
});
