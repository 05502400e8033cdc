import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { array, assert, asyncProperty, constantFrom } from "fast-check";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { memoryStore } from "../../test/memory-store/memory-store.ts";
import { Receiver } from "../../test/receiver.ts";
import { aTask, ended } from "../../test/store-conformance/parts.ts";
import type { Notification, Notifier } from "../contracts/notifier.ts";
import type { StateStore, TaskEnding } from "../contracts/store.ts";
import { Events, type HostwrightEvent } from "../engine/events.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { secret } from "../model/secret.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { Delivery } from "./delivery.ts";
import { Notifying } from "./notifying.ts";
import { webhook } from "./webhook.ts";
import { underLoad } from "../../../../test/support/under-load.ts";

const NEVER = new AbortController().signal;
const SECRET = `whsec_${randomBytes(32).toString("base64")}`;

let directory: string;
let store: StateStore;
let events: Events;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "hostwright-notify-"));
  store = await openSqliteStore({ directory });
  events = new Events(store.events);
  onTestFinished(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });
});

async function end(id: string, state: TaskEnding["state"] = "succeeded"): Promise<void> {
  await store.tasks.submit(aTask(id));
  const outcome = { state, value: {}, error: null, residue: [] };
  await ended(store, id, "queued", state, outcome);
}

/** Keeps what it is given; `answer` decides each try. */
function notifier(answer: (notification: Notification) => Promise<void> | void, change: Partial<Notifier> = {}) {
  const sent: string[] = [];
  const send: Notifier["send"] = async (notification) => {
    sent.push(notification.data.task);
    await answer(notification);
  };
  return { sent, name: "test", retryMs: [0, 0], send, ...change };
}

/** A delivery that knows its notifier already, so that what ends from now on is told. */
async function delivering(what: Notifier): Promise<Delivery> {
  const delivery = new Delivery(store, events, what);
  await delivery.begin();
  return delivery;
}

async function failures(): Promise<readonly HostwrightEvent["payload"][]> {
  const all = await store.events.after(0);
  return all
    .filter(({ type }) => type === "notification:failed")
    .map((event) => event.payload as HostwrightEvent["payload"]);
}

const refused = new Error("refused");

describe("a notifier", () => {
  test("is told of what ends after it was first known, once each, in every way it ends", async () => {
    await end("before");
    const one = notifier(() => undefined);
    const delivery = await delivering(one);
    await end("t1");
    await end("t2", "undone");
    await end("t3", "needs-attention");
    await delivery.pass(NEVER);
    await delivery.pass(NEVER);
    expect(one.sent).toEqual(["t1", "t2", "t3"]);
    await new Delivery(store, events, one).pass(NEVER);
    expect(one.sent).toHaveLength(3);
    expect(await store.leases.list()).toEqual([]);
  });

  test("is told of a task again when it was resolved, under another id", async () => {
    const ids: string[] = [];
    const delivery = await delivering(notifier(({ id }) => void ids.push(id)));
    await end("t1", "needs-attention");
    await delivery.pass(NEVER);
    await store.tasks.move("t1", ["needs-attention"], "undoing");
    await ended(store, "t1", "undoing", "undone");
    await delivery.pass(NEVER);
    expect(new Set(ids).size).toBe(2);
  });

  test("gets only what it wants", async () => {
    const one = notifier(() => undefined, { events: ["task.failed"] });
    const delivery = await delivering(one);
    for (const [id, state] of [
      ["t1", "succeeded"],
      ["t2", "undone"],
      ["t3", "succeeded"],
    ] as const)
      await end(id, state);
    await delivery.pass(NEVER);
    expect(one.sent).toEqual(["t2"]);
  });

  test("that fails is tried again after its pause, and others meanwhile", async () => {
    let failing = 1;
    const one = notifier(({ data }) => (data.task === "t1" && failing-- > 0 ? Promise.reject(refused) : undefined), {
      retryMs: [150],
    });
    const delivery = await delivering(one);
    await end("t1");
    await end("t2");
    await delivery.pass(NEVER);
    await delivery.pass(NEVER);
    expect(one.sent).toEqual(["t1", "t2"]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await new Delivery(store, events, one).pass(NEVER);
    expect(one.sent).toEqual(["t1", "t2", "t1"]);
    expect(await failures()).toEqual([]);
  });

  test("that fails to the last is given up with an event, of which nobody is notified", async () => {
    const one = notifier(async () => Promise.reject(refused));
    const delivery = await delivering(one);
    await end("t1");
    for (let pass = 0; pass < 6; pass++) await delivery.pass(NEVER);
    expect(one.sent).toEqual(["t1", "t1", "t1"]);
    const [failure, ...more] = await failures();
    expect(failure).toEqual({
      notifier: "test",
      notification: expect.stringMatching(/^msg_t1_/),
      tries: 3,
      reason: "refused",
    });
    expect(more).toEqual([]);
  });

  test("that is gone is given up at once", async () => {
    const gone = new HostwrightError("HW_NOTIFICATION_FAILED", "answered 410", { retryable: false });
    const one = notifier(async () => Promise.reject(gone));
    const delivery = await delivering(one);
    await end("t1");
    for (let pass = 0; pass < 3; pass++) await delivery.pass(NEVER);
    expect(one.sent).toEqual(["t1"]);
    expect(await failures()).toMatchObject([{ tries: 1, reason: "answered 410" }]);
  });

  test("that never answers is not waited for", async () => {
    const one = notifier(async () => new Promise<void>(() => undefined), { timeoutMs: 50, retryMs: [] });
    const delivery = await delivering(one);
    await end("t1");
    await delivery.pass(NEVER);
    expect(await failures()).toMatchObject([{ reason: expect.stringContaining("50 ms") }]);
  });

  test("that is down keeps a bounded list, and loses none of what it could not begin", async () => {
    let down = true;
    const one = notifier(async () => (down ? Promise.reject(refused) : undefined), { retryMs: [0, 60_000, 0] });
    const delivery = await delivering(one);
    const names = Array.from({ length: 130 }, (_, index) => `t${index}`);
    for (const name of names) await end(name);
    for (let pass = 0; pass < 3; pass++) await delivery.pass(NEVER);
    expect(new Set(one.sent).size).toBe(100);
    down = false;
    const mark = (await store.bookmarks.get("notify/test")) as { readonly again: readonly object[] };
    await store.bookmarks.put("notify/test", { ...mark, again: mark.again.map((entry) => ({ ...entry, at: 0 })) });
    one.sent.length = 0;
    await delivery.pass(NEVER);
    await delivery.pass(NEVER);
    expect(one.sent.toSorted()).toEqual(names.toSorted());
  });

  test("is not told by a worker that lost its lease meanwhile", async () => {
    const one = notifier(async () => (one.sent.length === 1 ? store.leases.release("notify/test") : undefined));
    const delivery = await delivering(one);
    await end("t1");
    await end("t2");
    await delivery.pass(NEVER);
    expect(one.sent).toEqual(["t1"]);
    // It could not remember that it told the first.
    await delivery.pass(NEVER);
    expect(one.sent).toEqual(["t1", "t1", "t2"]);
  });

  test("is told on from the mark of who took over from a worker that slept while it sent", async () => {
    const one = notifier(async () => {
      if (one.sent.length > 1) return;
      await store.leases.release("notify/test");
      await store.leases.acquire("notify/test", "other", [{ scope: "notify/test", mode: "exclusive" }]);
      await store.bookmarks.put("notify/test", { cursor: await store.tasks.lastEnded(), again: [] }, "other");
    });
    const delivery = await delivering(one);
    for (const id of ["t1", "t2", "t3"]) await end(id);
    await delivery.pass(NEVER);
    const [lease] = (await store.leases.list()).filter(({ scope }) => scope === "notify/test");
    expect(lease).toMatchObject({ holder: "other" });
    expect(await store.bookmarks.get("notify/test")).toEqual({ cursor: await store.tasks.lastEnded(), again: [] });
    await store.leases.release("notify/test");
    await delivery.pass(NEVER);
    expect(one.sent).toEqual(["t1"]);
  });

  test("that takes long keeps its lease alive while it is told, and no longer", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const beats = vi.spyOn(store.leases, "heartbeat");
    const during: number[] = [];
    const one = notifier(() => {
      beats.mockClear();
      // As long as the shortest life that a lease may be given.
      vi.advanceTimersByTime(1_000);
      during.push(beats.mock.calls.length);
    });
    const delivery = await delivering(one);
    await end("t1");
    await delivery.pass(NEVER);
    expect(during).toEqual([4]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is told again of what was sent when the store could not remember it", async () => {
    const one = notifier(() => undefined);
    await delivering(one);
    await end("t1");
    const put = async (): Promise<void> => Promise.reject(refused);
    const broken = { ...store, bookmarks: { get: async (name: string) => store.bookmarks.get(name), put } };
    await expect(new Delivery(broken, events, one).pass(NEVER)).rejects.toThrow("refused");
    await new Delivery(store, events, one).pass(NEVER);
    expect(one.sent).toEqual(["t1", "t1"]);
  });
});

describe("whatever fails, and wherever a worker dies", () => {
  type Step = "end" | "pass" | "refuse" | "gone" | "die before" | "die after" | "take over";
  const steps: readonly Step[] = ["end", "pass", "refuse", "gone", "die before", "die after", "take over"];

  async function play(moves: readonly Step[]): Promise<void> {
    const memory = memoryStore();
    const [delivered, begun] = [new Set<string>(), new Set<string>()];
    let [next, died]: [Step, boolean] = ["pass", false];
    const one = notifier(
      async ({ data }) => {
        if (next === "refuse") throw refused;
        if (next === "gone") throw new HostwrightError("HW_NOTIFICATION_FAILED", "gone", { retryable: false });
        if (next === "die before") died = true;
        if (died) throw refused;
        delivered.add(data.task);
        died = next === "die after";
      },
      { retryMs: [0, 0, 0] },
    );
    // A process that died writes nothing more.
    const put = async (...given: Parameters<typeof memory.bookmarks.put>): Promise<void> =>
      died ? Promise.reject(refused) : memory.bookmarks.put(...given);
    const mortal = { ...memory, bookmarks: { get: async (name: string) => memory.bookmarks.get(name), put } };
    const told = new Events(memory.events);
    await new Delivery(memory, told, one).begin();
    for (const [index, move] of [...moves, "take over", "take over"].entries()) {
      if (move === "end") {
        const id = `t${index}`;
        begun.add(id);
        await memory.tasks.submit(aTask(id));
        await ended(memory, id, "queued", "undone");
      } else if (move === "take over") await memory.leases.release("notify/test");
      [next, died] = [move as Step, false];
      if (move !== "end") await new Delivery(mortal, told, one).pass(NEVER).catch(() => undefined);
    }
    const failed = (await memory.events.after(0)).map(({ task }) => task ?? "");
    expect(new Set([...delivered, ...failed])).toEqual(begun);
  }

  test("each task that ended is delivered, or said to be given up", async () => {
    await assert(asyncProperty(array(constantFrom(...steps), { maxLength: 40 }), play), { numRuns: 500 });
  });
});

describe("notifiers of an instance", () => {
  test("do not hold each other up, and a try that is broken off by closing is not counted", async () => {
    const [deaf, other] = [
      notifier(async () => new Promise<void>(() => undefined), { name: "deaf" }),
      notifier(() => undefined),
    ];
    const notifying = new Notifying(store, events, [deaf, other]);
    const working = notifying.work();
    await expect
      .poll(async () => [await store.bookmarks.get("notify/deaf"), await store.bookmarks.get("notify/test")])
      .not.toContain(null);
    await end("t1");
    await events.emit("t1", "task:finished", { state: "succeeded", error: null, residue: [] });
    await expect.poll(() => other.sent).toEqual(["t1"]);
    await expect.poll(() => deaf.sent).toEqual(["t1"]);
    const begun = performance.now();
    await working[Symbol.asyncDispose]();
    expect(performance.now() - begun).toBeLessThan(underLoad(1000));
    expect(await store.bookmarks.get("notify/deaf")).toMatchObject({ again: [] });
    await using _again = new Notifying(store, events, [deaf]).work();
    await expect.poll(() => deaf.sent).toEqual(["t1", "t1"]);
    expect(await failures()).toEqual([]);
  });

  test.each([[["a", "a"]], [[""]], [["a b"]], [["x".repeat(101)]]])("named %j are refused", (names) => {
    const many = names.map((name) => notifier(() => undefined, { name }));
    expect(() => new Notifying(store, events, many)).toThrow(expect.objectContaining({ code: "HW_INPUT_INVALID" }));
  });

  test("of two workers in one process tell once", async () => {
    const one = notifier(async () => new Promise((resolve) => setTimeout(resolve, 20)));
    await delivering(one);
    for (let index = 0; index < 10; index++) await end(`t${index}`);
    const second = await openSqliteStore({ directory });
    await Promise.all([store, second].map(async (each) => new Delivery(each, events, one).pass(NEVER)));
    await second.close();
    expect(one.sent).toHaveLength(10);
  });
});

describe("a webhook of worker processes", () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await Receiver.open();
    onTestFinished(async () => receiver[Symbol.asyncDispose]());
    await delivering(webhook({ url: receiver.url, secret: secret(SECRET) }));
  });

  async function child(): Promise<ChildProcess> {
    const script = new URL("../../test/notifying-child.ts", import.meta.url).pathname;
    const args = ["--conditions=@hostwright/source", script, directory, receiver.url, SECRET];
    const started = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void started.kill("SIGKILL"));
    await once(started.stdout, "data");
    return started;
  }

  test("that is killed between sending and remembering is sent again by the next, under the same id", async () => {
    const first = await child();
    receiver.answer = (_request, response) => {
      first.kill("SIGKILL");
      response.writeHead(204).end();
    };
    await end("t1");
    await once(first, "exit");
    expect(receiver.ids).toHaveLength(1);
    receiver.answer = (_request, response) => response.writeHead(204).end();
    await child();
    await expect.poll(() => receiver.ids.length).toBe(2);
    expect(new Set(receiver.ids).size).toBe(1);
    await expect.poll(async () => store.bookmarks.get("notify/webhook")).toMatchObject({ again: [] });
  });

  test("is sent once by two of them, however many tasks end", async () => {
    await Promise.all([child(), child()]);
    receiver.answer = (_request, response) => setTimeout(() => response.writeHead(204).end(), 10);
    const names = Array.from({ length: 40 }, (_, index) => `t${index}`);
    for (const name of names) await end(name, Number(name.slice(1)) % 2 ? "undone" : "succeeded");
    await expect.poll(() => receiver.ids.length).toBe(names.length);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const tasks = receiver.received.map(({ body }) => (JSON.parse(body) as { data: { task: string } }).data.task);
    expect(tasks.toSorted()).toEqual(names.toSorted());
    expect(await store.leases.list()).toEqual([]);
  });

  test("that does not answer in its time is tried again", async () => {
    let hanging = true;
    receiver.answer = (_request, response) => {
      if (!hanging) response.writeHead(204).end();
      hanging = false;
    };
    const delivery = await delivering(
      webhook({ url: receiver.url, secret: secret(SECRET), timeoutMs: 100, retryMs: [0] }),
    );
    await end("t1");
    await delivery.pass(NEVER);
    await delivery.pass(NEVER);
    expect([receiver.ids.length, new Set(receiver.ids).size]).toEqual([2, 1]);
    expect(await failures()).toEqual([]);
  });
});

test.each([
  { timeoutMs: 0 },
  { timeoutMs: -1 },
  { timeoutMs: Number.NaN },
  { timeoutMs: 1.5 },
  { retryMs: [1, -1] },
  { retryMs: [Number.NaN] },
  { retryMs: [Infinity] },
])("a notifier with %j is refused", (times) => {
  const notifier = webhook({ url: "https://a.example", secret: secret(SECRET), ...times });
  const refusal = expect.objectContaining({ code: "HW_INPUT_INVALID" });
  expect(() => new Notifying(store, events, [notifier])).toThrow(refusal);
});
