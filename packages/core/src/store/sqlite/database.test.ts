import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished } from "vitest";
import { Database } from "./database.ts";

const SCHEMA = "CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT";

async function open(
  synchronous: "FULL" | "NORMAL" = "FULL",
  migrations = [SCHEMA],
): Promise<{ db: Database; path: string }> {
  const directory = mkdtempSync(join(tmpdir(), "hostwright-database-"));
  const path = join(directory, "test.db");
  const db = await Database.open({ path, synchronous, migrations, busyMs: 2000 });
  onTestFinished(async () => {
    await db.close();
    rmSync(directory, { recursive: true });
  });
  return { db, path };
}

const insert = (db: Database, n: number): unknown => db.run("INSERT INTO numbers VALUES (?)", n);
const numbers = (db: Database): unknown => db.all<{ n: number }>("SELECT n FROM numbers ORDER BY n").map(({ n }) => n);

it("has the write lock before a transaction reads anything, so that nothing it read can change under it", async () => {
  const { db, path } = await open();
  const other = new DatabaseSync(path);
  onTestFinished(() => other.close());
  other.exec("BEGIN IMMEDIATE; INSERT INTO numbers VALUES (1)");
  let seen: unknown = "not begun";
  const writing = db.write(() => {
    seen = numbers(db);
    return insert(db, 2);
  });
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(seen).toBe("not begun");
  other.exec("COMMIT");
  await writing;
  expect(seen).toEqual([1]);
});

it("serves any number of reads that are asked for at once, each at the same cost", async () => {
  const { db } = await open();
  const ms = async (count: number): Promise<number> => {
    const from = performance.now();
    await Promise.all(Array.from({ length: count }, async () => db.snapshot(async () => numbers(db))));
    return performance.now() - from;
  };
  const least = async (count: number): Promise<number> =>
    Math.min(await ms(count), await ms(count), await ms(count), await ms(count));
  await ms(100);
  // Where each end woke all that wait, so many times as many would cost its square.
  expect((await least(8_000)) / (await least(500))).toBeLessThan(80);
});

it("takes all of a transaction back when it fails, and goes on with the next", async () => {
  const { db } = await open();
  const failing = db.write(() => {
    insert(db, 1);
    throw new Error("on purpose");
  });
  const next = db.write(() => insert(db, 2));
  await expect(failing).rejects.toThrow("on purpose");
  await next;
  expect(await db.read(() => numbers(db))).toEqual([2]);
});

it("syncs each commit, or leaves that to the checkpoint, as asked", async () => {
  const level = (db: Database): unknown => db.get<{ synchronous: number }>("PRAGMA synchronous")?.synchronous;
  expect(level((await open("FULL")).db)).toBe(2);
  expect(level((await open("NORMAL")).db)).toBe(1);
});

it("applies only the migrations that are missing, all of them or none", async () => {
  const { db, path } = await open();
  await db.write(() => insert(db, 7));
  const options = { path, synchronous: "FULL", busyMs: 2000 } as const;
  const broken = Database.open({ ...options, migrations: [SCHEMA, "CREATE TABLE more (a) ", "nonsense"] });
  await expect(broken).rejects.toMatchObject({ code: "HW_INTERNAL" });
  const newer = await Database.open({
    ...options,
    migrations: [SCHEMA, "CREATE TABLE more (a)", "INSERT INTO more VALUES (1)"],
  });
  expect(numbers(newer)).toEqual([7]);
  expect(newer.all("SELECT a FROM more")).toHaveLength(1);
  await newer.close();
});

it("lets nobody wait longer than asked, also behind another who waits longer for a lock", async () => {
  const { db, path } = await open();
  const other = new DatabaseSync(path);
  onTestFinished(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  const patient = db.write(() => insert(db, 1), 60_000);
  const hasty = db.write(() => insert(db, 2), 50);
  const last = db.write(() => insert(db, 3), 60_000);
  await expect(hasty).rejects.toMatchObject({ code: "HW_STORE_BUSY", retryable: true });
  expect(numbers(db)).toEqual([]);
  other.exec("COMMIT");
  await Promise.all([patient, last]);
  expect(numbers(db)).toEqual([1, 3]);
});

it("waits for room on a full disk for who may wait for it, and refuses all others at once", async () => {
  const { db } = await open("FULL", ["CREATE TABLE texts (text TEXT) STRICT"]);
  const write = (): unknown => db.run("INSERT INTO texts VALUES (?)", "x".repeat(100_000));
  // No more than it has now.
  db.script("PRAGMA max_page_count = 1");
  await expect(db.write(write)).rejects.toMatchObject({ code: "HW_DISK_FULL", retryable: true });
  const waiting = db.write(write, 60_000);
  db.script("PRAGMA max_page_count = 1000");
  await waiting;
  expect(db.all("SELECT text FROM texts")).toHaveLength(1);
});
