import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { StateStore } from "../contracts/store.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { Events, type HostwrightEvent } from "./events.ts";

let store: StateStore;
let events: Events;

beforeEach(async () => {
  const directory = mkdtempSync(join(tmpdir(), "hostwright-events-"));
  store = await openSqliteStore({ directory });
  events = new Events(store.events);
  onTestFinished(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });
});

const log = async (line: string, task = "t1", stream = events): Promise<boolean> =>
  stream.emit(task, "task:log", { action: 0, server: "web1", line });
const lineOf = (event: HostwrightEvent): string => (event.type === "task:log" ? event.payload.line : event.type);

async function take(
  count: number,
  after: number,
  options: Parameters<Events["after"]>[1] = {},
): Promise<HostwrightEvent[]> {
  const taken: HostwrightEvent[] = [];
  for await (const event of events.after(after, options)) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

const LINES = Array.from({ length: 30 }, (_, index) => `line ${index}`);

test("listeners get what is stored, in the order of the store, also when it is emitted all at once", async () => {
  const heard: HostwrightEvent[] = [];
  events.listen((event) => heard.push(event));
  await Promise.all(LINES.map(async (line) => log(line)));
  expect(heard.map(lineOf)).toEqual(LINES);
  expect(heard).toEqual(await store.events.after(0));
});

test("an event is stored when emitting it has ended, and before a listener hears of it", async () => {
  let stored: Promise<number> | undefined;
  events.listen(() => void (stored = store.events.last()));
  await log("one");
  expect(await stored).toBeGreaterThan(0);
});

test("a listener that ended hears nothing more, and one that throws harms nobody", async () => {
  const heard: string[] = [];
  const warned = new Promise<Error>((resolve) => void process.once("warning", resolve));
  const end = events.listen(() => {
    throw new Error("a listener's own mistake");
  });
  events.listen((event) => heard.push(lineOf(event)));
  await log("one");
  end();
  const rejects = async (): Promise<void> => Promise.reject(new Error("an asynchronous mistake"));
  events.listen((): unknown => rejects());
  await log("two");
  expect(heard).toEqual(["one", "two"]);
  expect((await warned).message).toBe("a listener's own mistake");
});

describe("an event that cannot be stored", () => {
  const BUSY = new HostwrightError("HW_STORE_BUSY", "events.db: locked.", { retryable: true });
  function breaking(error: unknown = BUSY): { readonly stream: Events; repair(): void } {
    let broken = true;
    const append: StateStore["events"]["append"] = async (list) => {
      if (broken) throw error;
      return store.events.append(list);
    };
    const stream = new Events({ ...eventStore(), append });
    onTestFinished(async () => stream.close());
    return { stream, repair: () => (broken = false) };
  }
  const eventStore = (): StateStore["events"] => ({
    append: async (list) => store.events.append(list),
    after: async (...args) => store.events.after(...args),
    remove: async () => 0,
    removedUpTo: async () => 0,
    last: async () => store.events.last(),
  });
  const stored = async (): Promise<string[]> => (await store.events.after(0)).map((one) => lineOf(one as never));

  test("stops nobody, is warned of once, and is stored in its order when that is possible again", async () => {
    const warned: string[] = [];
    const hear = ({ message }: Error): void => void warned.push(message);
    process.on("warning", hear);
    onTestFinished(() => void process.off("warning", hear));
    const { stream, repair } = breaking();
    for (const line of LINES) await log(line, "t1", stream);
    repair();
    await expect.poll(stored).toEqual(LINES);
    await log("later", "t1", stream);
    expect(await stored()).toEqual([...LINES, "later"]);
    expect(warned).toHaveLength(1);
  });

  test("because the store hangs is waited for a moment only, and what follows not at all", async () => {
    const locked = Promise.withResolvers<void>();
    const append: StateStore["events"]["append"] = async (list) => {
      await locked.promise;
      return store.events.append(list);
    };
    const stream = new Events({ ...eventStore(), append });
    for (const line of LINES) await log(line, "t1", stream);
    expect(await stored()).toEqual([]);
    locked.resolve();
    await expect.poll(stored).toEqual(LINES);
  });

  test("is kept within bounds; how many were lost is told in the stream", async () => {
    const { stream, repair } = breaking();
    for (let n = 0; n < 10_050; n++) stream.tell("t1", "task:log", { action: 0, server: "web1", line: `${n}` });
    await stream.flush();
    repair();
    await expect
      .poll(async () => (await take(1, (await store.events.last()) - 1)).at(-1))
      .toMatchObject({ type: "events:lost", payload: { count: 50 } });
    expect((await stored()).slice(0, 2)).toEqual(["50", "51"]);
  });

  test("ever, because it is no JSON, keeps no other from the store", async () => {
    const { stream } = breaking(new TypeError("Do not know how to serialize a BigInt"));
    const repairing = breaking();
    repairing.repair();
    await repairing.stream.emit("t1", "task:finished", { state: "undone", error: 1n, residue: [] });
    await log("one", "t1", repairing.stream);
    await expect.poll(stored).toEqual(["one", "events:lost"]);
    await stream.close();
  });

  test("before the stream is closed is lost with a warning, and closing ends", async () => {
    const { stream } = breaking();
    const failing = new Promise((resolve) => void process.once("warning", resolve));
    await log("one", "t1", stream);
    await failing;
    const warned = new Promise<Error>((resolve) => void process.once("warning", resolve));
    await stream.close();
    expect((await warned).message).toContain("are lost");
    await log("two", "t1", stream);
    expect(await stored()).toEqual([]);
  });
});

describe("what is only told", () => {
  const tell = (line: string, stream = events): void =>
    stream.tell("t1", "task:log", { action: 0, server: "web1", line });

  test("is stored soon, in its order and all that came at once in one commit", async () => {
    const heard: string[] = [];
    events.listen((event) => heard.push(lineOf(event)));
    const append = vi.spyOn(store.events, "append");
    for (const line of LINES) tell(line);
    await log("emitted");
    for (const line of LINES) tell(line);
    await expect.poll(() => heard).toEqual([...LINES, "emitted", ...LINES]);
    expect(append).toHaveBeenCalledTimes(2);
  });
});

describe("a cursor", () => {
  test("replays everything after it, page by page, and then follows", async () => {
    for (const line of LINES) await log(line);
    const [first] = await take(1, 0);
    const reading = take(LINES.length + 1, first?.seq ?? 0);
    await log("later");
    await log("last");
    expect((await reading).map(lineOf)).toEqual([...LINES.slice(1), "later", "last"]);
  });

  test("goes on where the reader stopped, with nothing lost and nothing twice", async () => {
    await Promise.all(LINES.map(async (line) => log(line)));
    const seen: string[] = [];
    let cursor = 0;
    while (seen.length < LINES.length) {
      const part = await take(7 > LINES.length - seen.length ? LINES.length - seen.length : 7, cursor);
      seen.push(...part.map(lineOf));
      cursor = part.at(-1)?.seq ?? cursor;
    }
    expect(seen).toEqual(LINES);
  });

  test("can be held to one task", async () => {
    for (const line of LINES) await log(line, line.endsWith("5") ? "t5" : "t1");
    expect((await take(3, 0, { task: "t5" })).map(lineOf)).toEqual(["line 5", "line 15", "line 25"]);
  });

  test("sees what another process emits", async () => {
    const reading = take(1, 0);
    const elsewhere = new Events(store.events);
    await log("from elsewhere", "t1", elsewhere);
    expect((await reading).map(lineOf)).toEqual(["from elsewhere"]);
  });

  test("ends with its signal, and leaves nothing behind on it", async () => {
    const stop = new AbortController();
    const held: (() => void)[] = [];
    const { addEventListener, removeEventListener } = stop.signal;
    Object.assign(stop.signal, {
      addEventListener: (type: string, listener: () => void) => {
        held.push(listener);
        addEventListener.call(stop.signal, type, listener);
      },
      removeEventListener: (type: string, listener: () => void) => {
        held.splice(held.indexOf(listener), 1);
        removeEventListener.call(stop.signal, type, listener);
      },
    });
    let woken = 0;
    const reading = (async () => {
      for await (const _event of events.after(0, { signal: stop.signal })) woken++;
    })();
    for (const line of LINES) await log(line);
    await expect.poll(() => woken).toBe(LINES.length);
    expect(held.length).toBeLessThanOrEqual(1);
    stop.abort();
    await reading;
    expect(held).toEqual([]);
  });
});

test("what can never be stored keeps nothing that comes later from it, and nobody waits for it for ever", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.spyOn(process, "emitWarning").mockReturnValue();
  try {
    expect(await events.emit("t1", "task:log", { action: 0, server: "web1", line: 1n as never })).toBe(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await events.flush()).toBe(true);
    expect(await log("after")).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
