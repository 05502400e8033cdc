import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { ended } from "../../../test/store-conformance/parts.ts";
import { FakeWorker, NEVER, request } from "../../../test/fake-worker.ts";
import type { SiteRecord } from "../../model/records.ts";
import type { Secret } from "../../model/secret.ts";
import { memoryStore } from "../../../test/memory-store/memory-store.ts";
import { RETENTION } from "../../model/retention.ts";
import { sweepPlans } from "./sweep-plans.ts";
import { makeDraft } from "../planning/drafts.ts";
import { discardDraft } from "../planning/task-engine.ts";
import { makeStoredPlan } from "../workers/stored-plans.ts";
import { maintain, maintainAll } from "./maintain.ts";

const [MINUTE, DAY] = [60_000, 86_400_000];

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

async function done(name: string): Promise<string> {
  const { id } = await fake.submit(name);
  await fake.worker.work(id, NEVER);
  return id;
}

const later = async (ms: number) => maintain(fake.parts, NEVER, Date.now() + ms);

test("a task that ended is kept for its time, then goes with journal, events and outcome", async () => {
  const { store } = fake.engine;
  const id = await done("a");
  expect(await later(89 * DAY)).toMatchObject({ tasks: 0 });
  expect(await store.tasks.state(id)).toBe("succeeded");
  const cursor = await store.events.last();
  expect(await later(91 * DAY)).toMatchObject({ tasks: 1, clean: true, done: false });
  expect(await store.tasks.state(id)).toBeNull();
  expect(await store.journal.read(id)).toEqual([]);
  expect(await store.events.after(0, { task: id })).toEqual([]);
  // Who had read so far goes on.
  await fake.engine.events.emit(null, "task:committed", {});
  expect(await store.events.after(cursor)).toHaveLength(1);
});

test("what waits, runs or needs attention is kept, however long ago", async () => {
  const { store } = fake.engine;
  const ids = await Promise.all(["a", "b", "c"].map(async (name) => (await fake.submit(name)).id));
  await store.tasks.move(ids[1] ?? "", ["queued"], "running");
  await ended(store, ids[2] ?? "", "queued", "needs-attention");
  expect(await later(1_000 * DAY)).toMatchObject({ tasks: 0, secrets: 0 });
  for (const id of ids) expect(await store.tasks.state(id)).not.toBeNull();
});

test("secrets of a task can be read for an hour after its end; then its value says that it is gone", async () => {
  const name = "task/t1/login-link";
  const reference = { ref: "secret", id: name, label: "login link" };
  fake.drafts.set("a", { value: { loginLink: reference } });
  await fake.parts.vault.put(name, "https://a.test/login/hush");
  const task = await fake.submit("a", { id: "t1" });
  await fake.worker.work("t1", NEVER);
  expect(await later(59 * MINUTE)).toMatchObject({ secrets: 0 });
  const link = async () => ((await task.result()) as { readonly loginLink: Secret }).loginLink.reveal();
  expect(await link()).toBe("https://a.test/login/hush");
  expect(await later(61 * MINUTE)).toMatchObject({ secrets: 1 });
  expect((await fake.engine.store.secrets.get([name])).size).toBe(0);
  await expect(link()).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
});

test("secrets of records that are not there go; those of others stay", async () => {
  const { vault, store } = { vault: fake.parts.vault, store: fake.engine.store };
  for (const id of ["server/web1/private-key", "server/v9/private-key", "site/s9/db-password"])
    await vault.put(id, "x");
  expect(await later(0)).toMatchObject({ secrets: 2 });
  expect((await store.secrets.list("", { limit: 9 })).map(({ id }) => id)).toEqual(["server/web1/private-key"]);
  expect(await later(0)).toMatchObject({ secrets: 0 });
});

test("a reader whose cursor lies before what is kept is told so, and goes on with what is", async () => {
  const { events, store } = fake.engine;
  await done("a");
  const [first] = await store.events.after(0);
  const last = await store.events.last();
  await later(200 * DAY);
  await events.emit(null, "task:committed", {});
  const read = async (after: number) => {
    for await (const event of events.after(after, { signal: NEVER })) return event;
    return null;
  };
  expect(await read(first?.seq ?? 0)).toMatchObject({ type: "events:removed", payload: { after: first?.seq } });
  expect(await read(0)).toMatchObject({ type: "task:committed" });
  expect(await read(last)).toMatchObject({ type: "task:committed" });
});

test("a step is bounded, and all steps come to an end", async () => {
  for (let n = 0; n < 60; n++) await fake.engine.store.plans.put(oldPlan(n));
  const step = await maintain(fake.parts, NEVER);
  expect(step).toMatchObject({ plans: 50, done: false });
  expect(await maintainAll(fake.parts, NEVER)).toMatchObject({ plans: 10, clean: true });
});

test("where nobody works, whoever plans removes what is over, and a refused planning leaves nothing", async () => {
  const { plans } = fake.engine.store;
  for (let n = 0; n < 15; n++) await plans.put(oldPlan(n));
  await makeStoredPlan(fake.parts, request("a"), NEVER);
  await makeStoredPlan(fake.parts, request("b"), NEVER);
  expect(await plans.expired("9999")).toHaveLength(2);
  fake.drafts.set("bad", { steps: [{ kind: "nonsense" } as never] });
  await expect(makeStoredPlan(fake.parts, request("bad"), NEVER)).rejects.toBeInstanceOf(Error);
  expect(await plans.expired("9999")).toHaveLength(2);
});

test("no more plans are kept than it was told, the newest", async () => {
  const parts = { ...fake.parts, retention: { taskDays: 1, eventDays: 1, secretMinutes: 1, plans: 3 } };
  const made = [];
  for (const name of ["a", "b", "c", "d", "e"]) made.push((await makeStoredPlan(parts, request(name), NEVER)).id);
  const kept = (await fake.engine.store.plans.expired("9999")).map(({ id }) => id);
  expect(kept.toSorted()).toEqual(made.slice(2).toSorted());
});

test("the unix id of a draft that is discarded is drawn again, and never one that a site was made with", async () => {
  const { records } = fake.engine.store;
  const draft = async (task: string): Promise<SiteRecord> =>
    makeDraft(records, task, { status: "draft", domain: "a.test" } as SiteRecord, {
      from: 20_000,
      to: 20_999,
      used: new Set(),
    });
  for (let n = 0; n < 20; n++) {
    expect((await draft(`t${n}`)).uid).toBe(20_000);
    await Promise.all([discardDraft(fake.parts, `t${n}`), discardDraft(fake.parts, `t${n}`)]);
  }
  const site = await draft("made");
  const value = { ...site, status: "installing" };
  await records.put({ kind: "site", id: site.id, name: "a.test", value }, { expect: 1, claims: [] });
  await discardDraft(fake.parts, "made");
  await records.forget("site", site.id, 2);
  expect((await draft("next")).uid).toBe(20_001);
});

test("hundreds of previews of installations, refused ones among them, draw no more unix ids than plans are kept", async () => {
  const [from, keep, draws] = [20_000, 5, new Set<number>()];
  let planned = 0;
  const { records, ...rest } = memoryStore();
  const nextNumber: typeof records.nextNumber = async (...given) => {
    const drawn = await records.nextNumber(...given);
    draws.add(drawn);
    return drawn;
  };
  await using own = await FakeWorker.open({ ...rest, records: { ...records, nextNumber } });
  const type = own.parts.tasks.get("test:work");
  if (type === undefined) throw new Error("the fake has lost its task type");
  vi.spyOn(type, "plan").mockImplementation(async (context) => {
    const range = { from, to: 20_999, used: new Set<number>() };
    await makeDraft(own.engine.store.records, context.task, { domain: "a.test" } as SiteRecord, range);
    if (++planned % 4 === 0) throw new Error("refused");
    return { title: "preview", about: [], steps: [], value: {} };
  });
  const parts = { ...own.parts, retention: { ...RETENTION, plans: keep } };
  for (let n = 0; n < 400; n++) await makeStoredPlan(parts, request("a"), NEVER).catch(() => null);
  // Each was made beside those that are kept, so that more would not draw others: 40,000 leave the range as these do.
  expect(planned).toBe(400);
  expect(Math.max(...draws)).toBeLessThanOrEqual(from + keep);
  await sweepPlans(parts, NEVER, Date.now(), { keep: 0, limit: keep + 1 });
  expect(await records.nextNumber("uid", from)).toBe(from);
});

function oldPlan(n: number) {
  const expiresAt = "2020-01-01T00:00:00.000Z";
  return { id: `p${n}`, task: `t${n}`, request: {}, title: "", hash: "", sealed: null, expiresAt };
}
