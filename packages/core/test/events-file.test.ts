import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { StateStore } from "../src/contracts/store.ts";
import { Events } from "../src/engine/events.ts";
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
