import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import type { StateStore } from "../src/contracts/store.ts";
import { SecretVault } from "../src/store/secrets.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { FakeEngine } from "./fake-engine.ts";
import { FakeWorld } from "./fake-world.ts";

const ROWS = 20_000;

let store: StateStore;

beforeEach(async () => {
  const directory = mkdtempSync(join(tmpdir(), "hostwright-turns-"));
  store = await openSqliteStore({ directory });
  onTestFinished(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });
});

/** How often the host's event loop turned meanwhile. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  const over = new AbortController();
  const counting = (async () => {
    for (; !over.signal.aborted; turns += 1) await nextTurn();
  })();
  await work();
  over.abort();
  await counting;
  return turns;
}

const rows = Array.from({ length: ROWS }, (_, index) => ({
  server: "v1",
  type: "file",
  key: `/${index}`,
  owner: `site/s${index % 500}`,
  shared: false,
  hash: "h",
}));

test("a large change of the register lets the event loop turn, and nobody sees a part of it", async () => {
  const seen = new Set<number>();
  const turns = await turnsDuring(async () => {
    const writing = store.register.put(rows).then(() => true);
    for (let isDone = false; !isDone;) {
      seen.add((await store.register.onServer("v1")).length);
      isDone = await Promise.race([writing, Promise.resolve(false)]);
    }
  });
  expect([...seen]).toEqual(expect.arrayContaining([ROWS]));
  expect([...seen].filter((count) => count !== 0 && count !== ROWS)).toEqual([]);
  // A turn is worked in for 8 ms; in one turn it would be 1 or 2.
  expect(turns).toBeGreaterThan(5);
  const reading = await turnsDuring(async () =>
    store.register.about("v1", [...new Set(rows.map(({ owner }) => owner))], []),
  );
  expect(reading).toBeGreaterThan(3);
});

test("two large changes at once are one after the other, and one that fails leaves nothing", async () => {
  const foreign = { ...rows[ROWS - 1], owner: "site/other" } as (typeof rows)[number];
  const [first, second] = await Promise.allSettled([
    store.register.put(rows),
    store.register.put([...rows.map((row) => ({ ...row, type: "link" })), foreign]),
  ]);
  expect([first.status, second.status]).toEqual(["fulfilled", "rejected"]);
  expect((await store.register.onServer("v1")).filter(({ type }) => type === "link")).toEqual([]);
});

test("a thousand secrets are opened in several turns", async () => {
  const engine = await FakeEngine.open(new FakeWorld(), []);
  onTestFinished(async () => engine[Symbol.asyncDispose]());
  const vault = new SecretVault(store.secrets, engine.box);
  const ids = Array.from({ length: 2_000 }, (_, index) => `site/s${index}/password`);
  for (const id of ids) await vault.put(id, "x");
  const turns = await turnsDuring(async () => vault.load(ids));
  expect(turns).toBeGreaterThan(2);
  expect((await vault.load(ids)).size).toBe(2_000);
});
