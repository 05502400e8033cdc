import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { StateStore } from "../src/contracts/store.ts";
import { Events } from "../src/engine/events.ts";
import { EventsFile } from "../src/store/sqlite/events-file.ts";
import { SqliteEvents } from "../src/store/sqlite/events.ts";
import { EVENT_MIGRATIONS } from "../src/store/sqlite/schema.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "hostwright-events-file-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

async function open(): Promise<StateStore> {
  const store = await openSqliteStore({ directory });
  onTestFinished(async () => store.close());
  return store;
}

const event = (n: number) => ({ at: "2026", task: null, type: "task:log", payload: n });

/** As an operator frees the disk. */
function remove(...endings: string[]): void {
  for (const ending of endings) rmSync(join(directory, `events.db${ending}`), { force: true });
}

describe.each([
  ["the file", ["", "-wal", "-shm"]],
  ["the file alone, without what SQLite has beside it,", [""]],
])("when %s of events was deleted", (_what, endings) => {
  test("between two runs, a cursor from before gives all that comes", async () => {
    const before = await open();
    for (let n = 0; n < 50; n++) await before.events.append([event(n)]);
    const cursor = await before.events.last();
    await before.close();
    remove(...endings);
    const after = await open();
    expect(await after.events.after(0)).toEqual([]);
    await after.events.append([event(50)]);
    expect((await after.events.after(cursor)).map(({ payload }) => payload)).toEqual([50]);
  });

  test("under processes that have it open, each tells and sees what comes, in one file, and who follows is told", async () => {
    const [one, two] = [await open(), await open()];
    await one.events.append([event(0)]);
    const following = new Events(two.events).after(await two.events.last());
    const next = following.next();
    remove(...endings);
    await one.events.append([event(1)]);
    await two.events.append([event(2)]);
    await one.events.append([event(3)]);
    expect((await next).value).toMatchObject({ type: "events:removed", payload: { after: 1 } });
    for (const n of [1, 2, 3]) expect((await following.next()).value).toMatchObject({ payload: n });
    for (const store of [one, two, await open()]) {
      expect((await store.events.after(0)).map(({ payload }) => payload)).toEqual([1, 2, 3]);
    }
    await following.return(undefined);
  });
});

test("an installation's first events have small numbers", async () => {
  const store = await open();
  await store.events.append([event(0)]);
  expect(await store.events.last()).toBe(1);
});

test("a reader whose cursor is of another installation begins anew", async () => {
  const store = await open();
  await store.events.append([event(0)]);
  const following = new Events(store.events).after(1_000);
  expect((await following.next()).value).toMatchObject({ payload: 0 });
  await following.return(undefined);
});

describe("when the file of events is damaged", () => {
  const path = (): string => join(directory, "events.db");
  let warnings: string[];
  beforeEach(() => {
    warnings = [];
    const spy = vi.spyOn(process, "emitWarning").mockImplementation((text) => void warnings.push(String(text)));
    onTestFinished(() => spy.mockRestore());
  });

  test("it is kept aside, a new one is begun, and a cursor from before gives all that comes", async () => {
    const before = await open();
    await before.events.append([event(0)]);
    const cursor = await before.events.last();
    await before.close();
    const garbage = "no database at all ".repeat(1_000);
    writeFileSync(path(), garbage, { mode: 0o600 });
    const after = await open();
    expect(await after.events.removedUpTo()).toBeGreaterThan(cursor);
    await after.events.append([event(1)]);
    expect((await after.events.after(cursor)).map(({ payload }) => payload)).toEqual([1]);
    expect(readFileSync(`${path()}.damaged`, "utf8")).toBe(garbage);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(warnings).toEqual([
      expect.stringMatching(/events\.db: .* is kept as .*events\.db\.damaged, and events begin anew/),
    ]);
    expect(await after.integrity()).toEqual([]);
  });

  test("and the clean-up comes to it first, that goes on with a new one", async () => {
    const before = await open();
    await before.events.append(Array.from({ length: 200 }, (_, n) => event(n)));
    await before.events.remove({ before: "2027" }, 1_000);
    await before.close();
    const store = await open();
    writeFileSync(path(), readFileSync(path()).fill(0xff, 4096));
    expect(await store.scrub()).toBe(true);
    await store.events.append([event(201)]);
    expect((await store.events.after(0)).map(({ payload }) => payload)).toEqual([201]);
    expect(warnings).toHaveLength(1);
  });

  test("under processes that have it open, each tells and sees what comes, in one new file", async () => {
    const before = await open();
    for (let n = 0; n < 200; n++) await before.events.append([event(n)]);
    await before.close();
    const [one, two] = [await open(), await open()];
    const content = readFileSync(path());
    writeFileSync(path(), content.fill(0xff, 4096));
    expect(await one.events.after(0)).toEqual([]);
    await two.events.append([event(201)]);
    await one.events.append([event(202)]);
    for (const store of [one, two, await open()])
      expect((await store.events.after(0)).map(({ payload }) => payload)).toEqual([201, 202]);
    expect(warnings).toHaveLength(1);
    expect(existsSync(`${path()}.damaged`)).toBe(true);
  });
});

test.each([
  ["finds no file", () => undefined],
  ["finds it damaged", (path: string) => writeFileSync(path, "no database at all ".repeat(1_000), { mode: 0o600 })],
])("who %s takes nothing from the one that another process makes at that moment", async (_what, prepare) => {
  const options = {
    path: join(directory, "events.db"),
    synchronous: "NORMAL",
    migrations: EVENT_MIGRATIONS,
    busyMs: 1_000,
    installation: "one",
  } as const;
  prepare(options.path);
  const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  onTestFinished(() => warning.mockRestore());
  const first = Promise.withResolvers<EventsFile>();
  const late = await EventsFile.open(
    {
      ...options,
      alone: async (work) => {
        const faster = await EventsFile.open({ ...options, alone: async (begin) => begin() }, true);
        await new SqliteEvents(faster).append([event(1)]);
        first.resolve(faster);
        work();
      },
    },
    true,
  );
  const faster = await first.promise;
  onTestFinished(async () => void (await Promise.all([late.close(), faster.close()])));
  await new SqliteEvents(late).append([event(2)]);
  for (const file of [late, faster])
    expect((await new SqliteEvents(file).after(0)).map(({ payload }) => payload)).toEqual([1, 2]);
});
