import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { inspect } from "./inspect.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const STORE = new URL("sqlite-store.ts", import.meta.url).href;
const PAGE = 4096;

let directory: string;
let path: string;
let looked: string[];
const look = async (file: string): Promise<readonly string[]> => {
  looked.push(file);
  return inspect(file, "quick");
};
/** Opens the store, works with it, and closes it. */
async function use(work: "read" | "write" = "write"): Promise<void> {
  const store = await openSqliteStore({ directory, inspect: look });
  try {
    if (work === "write") await store.records.nextNumber("uid", 1);
  } finally {
    await store.close();
  }
}

beforeEach(async () => {
  directory = join(mkdtempSync(join(tmpdir(), "hostwright-openers-")), "state");
  path = join(directory, "store.db");
  looked = [];
  onTestFinished(() => rmSync(join(directory, ".."), { recursive: true }));
  await use();
});

/** A process that works with the store and is killed. */
function killed(work = "await store.records.nextNumber('uid', 1);"): void {
  const script = `
    const { openSqliteStore } = await import(${JSON.stringify(STORE)});
    const store = await openSqliteStore({ directory: ${JSON.stringify(directory)} });
    for (let n = 0; n < 300; n++)
      await store.secrets.replace("site/s" + n + "/x", "x".repeat(1000));
    await store.scrub();
    ${work}
    process.kill(process.pid, "SIGKILL");`;
  const argv = ["--conditions=@hostwright/source", "--input-type=module", "--eval", script];
  const { signal, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
  expect(signal, stderr).toBe("SIGKILL");
}

function overwrite(page: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(PAGE, 0xaa), 0, PAGE, page * PAGE);
  closeSync(file);
}

test("a store that was closed is not looked at, and neither is one that others have open", async () => {
  await use("read");
  await use();
  const other = await openSqliteStore({ directory, inspect: look });
  await other.records.nextNumber("uid", 1);
  await use();
  await other.close();
  await use();
  expect(looked).toEqual([]);
});

test("a store whose last process was killed is looked at once, before it is used", async () => {
  killed();
  await use();
  await use();
  expect(looked).toEqual([path]);
});

test("a copy that was made of it while it was open is looked at", async () => {
  const store = await openSqliteStore({ directory });
  await store.records.nextNumber("uid", 1);
  await store.scrub();
  const copy = join(directory, "copy");
  copyFileSync(path, copy);
  await store.close();
  copyFileSync(copy, path);
  rmSync(copy);
  await use();
  expect(looked).toEqual([path]);
});

test("a damaged store is refused after an unclean end with its code, and no byte of it is changed", async () => {
  killed();
  overwrite(40);
  const files = [path, `${path}-wal`];
  const before = files.map((file) => readFileSync(file));
  for (const time of ["first", "second"])
    await expect(use(), time).rejects.toMatchObject({
      code: "HW_STORE_DAMAGED",
      retryable: false,
      message: expect.stringContaining(path) as string,
      remedy: expect.stringContaining("raiseEpoch") as string,
    });
  for (const [index, file] of files.entries())
    expect(readFileSync(file).equals(before[index] ?? Buffer.of())).toBe(true);
});

test("who closes does not wait long for a lock; then the next one that opens looks", async () => {
  const store = await openSqliteStore({ directory, inspect: look });
  await store.records.nextNumber("uid", 1);
  const sqlite = process.getBuiltinModule("node:sqlite");
  const other = new sqlite.DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const at = performance.now();
  await store.close();
  expect(performance.now() - at).toBeLessThan(10_000);
  other.exec("ROLLBACK");
  other.close();
  await use();
  expect(looked).toEqual([path]);
});
