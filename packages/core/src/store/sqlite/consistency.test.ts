import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { aRow, aTask, AT, changes, running } from "../../../test/store-conformance/parts.ts";
import type { StateStore } from "../../contracts/store.ts";
import { openSqliteStore } from "./sqlite-store.ts";

let directory: string;
let store: StateStore;
beforeEach(async () => {
  directory = join(mkdtempSync(join(tmpdir(), "hostwright-consistency-")), "state");
  store = await openSqliteStore({ directory });
  onTestFinished(async () => {
    await store.close();
    rmSync(join(directory, ".."), { recursive: true });
  });
  const site = { kind: "site", id: "s1", name: "a.test", value: {} } as const;
  await store.records.put(site, { expect: 0, claims: ["www.a.test"] });
  await running(store, "t1");
  await store.journal.write([aRow("t1"), aRow("t1", { state: "done" })]);
  await store.journal.commit("t1", AT, changes());
  await store.tasks.submit({ ...aTask("t2"), plan: "sealed" });
});

const plant = (sql: string): void => {
  const db = new DatabaseSync(join(directory, "store.db"));
  db.exec(sql);
  db.close();
};

test("a store whose tables agree has nothing to tell", async () => {
  expect(await store.integrity()).toEqual([]);
});

test("each thing that does not agree is told", async () => {
  for (const sql of [
    "UPDATE journal SET output = '{' WHERE number = 1",
    "UPDATE journal SET task = 't9'",
    "UPDATE commits SET task = 't9'",
    "UPDATE task_plans SET task = 't9', plan = '{'",
    "UPDATE records SET version = 0, name = 'b.test'",
    "UPDATE claims SET id = 's2' WHERE name <> 'a.test'",
    "UPDATE tasks SET request = '{', outcome = '{' WHERE id = 't2'",
  ])
    plant(sql);
  const found = await store.integrity();
  expect(found.map(({ what }) => what)).toEqual([
    "2 rows of journal are of the task t9, which is not there",
    "1 rows of commits are of the task t9, which is not there",
    "1 rows of task_plans are of the task t9, which is not there",
    "the site s1 is at no version",
    "the site s1 does not hold its own name b.test",
    "the name www.a.test is held by the site s2, which is not there",
    "request in tasks, of t2, is no JSON",
    "outcome in tasks, of t2, is no JSON",
    "plan in task_plans, of t9, is no JSON",
    "output in journal, of t9, is no JSON",
  ]);
  expect(found[0]?.file).toBe(join(directory, "store.db"));
});
