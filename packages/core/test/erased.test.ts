import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished } from "vitest";
import type { StateStore } from "../src/contracts/store.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { aRow, aTask, AT, ended } from "./store-conformance/parts.ts";

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), "hostwright-erased-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function openIn(directory: string): Promise<StateStore> {
  const store = await openSqliteStore({ directory });
  onTestFinished(async () => store.close());
  return store;
}

/** A text of some length that is known again by any few characters of it. */
function marked(name: string, length: number): string {
  return `<${name}>`.repeat(Math.ceil(length / (name.length + 2)));
}

/** Names of marked texts that begin with the prefix, of which a piece is in any file of the folder. */
function readable(directory: string, prefix: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const name of readdirSync(directory))
    for (const [, text = ""] of readFileSync(join(directory, name), "latin1").matchAll(/<(\w+)>/g))
      if (text.startsWith(prefix)) found.add(text);
  return found;
}

const LENGTHS = [40, 90, 900, 10_000, 60_000];

const ROUNDS = [...LENGTHS, ...LENGTHS];

/** Everything that is ever erased, of each length, between things that stay. */
async function fill(store: StateStore): Promise<void> {
  let count = 0;
  const gone = (length: number): string => marked(`gone${count++}`, length);
  const kept = (length: number): string => marked(`kept${count++}`, length);
  await store.tasks.submit(aTask("t1"));
  await store.tasks.submit(aTask("t2", { plan: kept(100) }));
  await store.tasks.move("t1", ["queued"], "running", { plan: gone(5_000) });
  const plan = { request: {}, title: "", hash: "", expiresAt: AT };
  const event = { at: AT, type: "a:b" };
  for (const [n, length] of ROUNDS.entries()) {
    await store.secrets.add(`site/gone/${n}`, gone(length));
    await store.secrets.add(`site/kept/${n}`, kept(length));
    await store.secrets.replace(`site/kept/changed-${n}`, gone(length));
    await store.secrets.replace(`site/kept/changed-${n}`, kept(80));
    await store.secrets.add(`task/t1/${n}`, gone(length));
    for (const [task, undo] of [
      ["t1", gone(length)],
      ["t2", kept(length)],
      ["t3", gone(length)],
    ] as const)
      await store.journal.write([aRow(task, { action: n, undo, output: "x".repeat(n * 7) })]);
    await store.plans.put({ ...plan, id: `p${n}`, task: "t8", sealed: gone(length) });
    await store.plans.put({ ...plan, id: `q${n}`, task: "t9", sealed: kept(length) });
    await store.events.append([
      { ...event, task: "t1", payload: gone(length) },
      { ...event, task: "t2", payload: kept(length) },
    ]);
  }
}

async function erase(store: StateStore): Promise<void> {
  await store.secrets.removePrefix("site/gone/");
  await store.tasks.submit(aTask("t3"));
  await ended(store, "t3", "queued", "undone");
  await ended(store, "t1", "running", "undone");
  expect(await store.tasks.remove(["t1"])).toBe(1);
  await store.plans.remove(ROUNDS.map((_, n) => `p${n}`));
  while ((await store.events.remove({ task: "t1" }, 10)) > 0);
}

it("what was erased is in no file of an open store, and what stays is", async () => {
  const directory = folder();
  const store = await openIn(directory);
  const other = await openIn(directory);
  await fill(store);
  expect(readable(directory, "gone").size).toBeGreaterThan(7 * ROUNDS.length);
  await erase(other);
  await expect.poll(async () => store.scrub()).toBe(true);
  expect(readable(directory, "gone")).toEqual(new Set());
  expect(readable(directory, "kept").size).toBe(5 * ROUNDS.length + 1);
  await store.close();
  await other.close();
  expect(readable(directory, "gone")).toEqual(new Set());
});

it("what a store of before erased is gone from its files when it is opened", async () => {
  const directory = folder();
  await (await openSqliteStore({ directory })).close();
  // As such a store was: no secure_delete, no auto_vacuum.
  const old = new DatabaseSync(join(directory, "store.db"));
  const goes = Array.from({ length: 200 }, (_, n) => marked(`gone${n}`, 50 + 40 * n));
  old.exec("PRAGMA secure_delete = OFF; PRAGMA auto_vacuum = 0; VACUUM");
  for (const [n, text] of goes.entries()) old.prepare("INSERT INTO secrets VALUES (?, ?)").run(`site/gone/${n}`, text);
  old.exec("DELETE FROM secrets");
  old.close();
  expect(readable(directory, "gone").size).toBeGreaterThan(50);
  const store = await openIn(directory);
  await expect.poll(async () => store.scrub()).toBe(true);
  expect(readable(directory, "gone")).toEqual(new Set());
});

it("a file gives back the room of what was removed, a bounded part at a time", async () => {
  const directory = folder();
  const store = await openIn(directory);
  const size = (): number => readFileSync(join(directory, "store.db")).length;
  for (let n = 0; n < 30; n++) await store.secrets.add(`site/gone/${n}`, marked("gone", 100_000));
  await store.scrub();
  const full = size();
  await store.secrets.removePrefix("site/gone/");
  let steps = 0;
  await expect.poll(async () => (steps++, store.scrub())).toBe(true);
  expect(steps).toBeGreaterThan(2);
  expect(size()).toBeLessThan(full / 4);
});
