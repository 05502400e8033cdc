import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { StoreKernel } from "../src/contracts/store/kernel.ts";
import type { AnyQuery, AnyRow, AnyTable, ReadRows } from "../src/contracts/store/tables.ts";
import { beginningOf } from "../src/store/beginning.ts";
import { openSqliteKernel } from "../src/store/sqlite/sqlite-store.ts";
import { JOURNAL } from "../src/store/tables/journal.ts";
import { TABLES } from "../src/store/tables/all-tables.ts";
import { PLANS } from "../src/store/tables/plans.ts";
import { SECRETS } from "../src/store/tables/secrets.ts";
import { USES } from "../src/store/tables/records.ts";
import { REGISTER } from "../src/store/tables/register.ts";
import { TASKS } from "../src/store/tables/tasks.ts";
import { MemoryTables } from "./memory-store/memory-tables.ts";
import { modelRuns } from "./models/model-runs.ts";
import { tablesConformance } from "./store-conformance/tables.ts";

interface Opened extends AsyncDisposable {
  readonly directory: string;
  readonly kernel: StoreKernel;
  reopen(): Promise<StoreKernel>;
}

async function open(): Promise<Opened> {
  const directory = join(mkdtempSync(join(tmpdir(), "hostwright-tables-")), "state");
  const opened: StoreKernel[] = [];
  const reopen = async (): Promise<StoreKernel> => {
    const kernel = await openSqliteKernel({ directory });
    opened.push(kernel);
    return kernel;
  };
  const close = async (): Promise<void> => {
    await Promise.all(opened.map(async (kernel) => kernel.close()));
    rmSync(join(directory, ".."), { recursive: true });
  };
  return { directory, kernel: await reopen(), reopen, [Symbol.asyncDispose]: close };
}

tablesConformance("A SQLite file", async () => {
  const opened = await open();
  const [tables, other] = [opened.kernel.tables, (await opened.reopen()).tables];
  return { tables, other, cleanup: async () => opened[Symbol.asyncDispose]() };
});

describe("the tables of core in a SQLite file", () => {
  async function file(): Promise<DatabaseSync> {
    const opened = await open();
    const db = new DatabaseSync(join(opened.directory, "store.db"), { readOnly: true });
    onTestFinished(async () => {
      db.close();
      await opened[Symbol.asyncDispose]();
    });
    return db;
  }

  test("have the columns, types and keys that they are defined with", async () => {
    const db = await file();
    for (const { name, columns, key } of TABLES) {
      const found = db.prepare(`SELECT * FROM pragma_table_info(?)`).all(name);
      const types = Object.entries(columns).map(([column, type]) => {
        const kind = type.startsWith("integer") ? "INTEGER" : "TEXT";
        return [column, kind, key.length > 1 || !key.includes(column) ? type.endsWith("?") : false];
      });
      const present = found
        .filter(({ name: column }) => Object.hasOwn(columns, String(column)))
        .map(({ name: column, type, notnull, pk }) => [column, type, notnull === 0 && pk === 0]);
      expect(Object.fromEntries(present.map(([column, ...rest]) => [column, rest])), name).toEqual(
        Object.fromEntries(types.map(([column, ...rest]) => [column, rest])),
      );
      // What no definition has is SQLite's own, and may be left out.
      for (const one of found.filter(({ name: column }) => !Object.hasOwn(columns, String(column))))
        expect(one["notnull"] === 0 || one["dflt_value"] !== null, `${name}.${String(one["name"])}`).toBe(true);
    }
  });

  test("are asked by an index in every form, and no list is sorted", async () => {
    const opened = await open();
    onTestFinished(async () => opened[Symbol.asyncDispose]());
    const asked = new Map<string, boolean>();
    const real = DatabaseSync.prototype.prepare;
    let isWhole = false;
    const prepare = vi.spyOn(DatabaseSync.prototype, "prepare").mockImplementation(function (this: DatabaseSync, sql) {
      asked.set(sql, isWhole);
      return real.call(this, sql);
    });
    onTestFinished(() => prepare.mockRestore());
    await opened.kernel.tables.read(async (rows) => {
      for (const table of TABLES) {
        await rows.get(table, [anyRow(table), anyRow(table)]);
        await rows.get(table, [anyRow(table)]);
        for (const query of formsOf(table)) {
          isWhole = query.of === undefined && query.after === undefined;
          await rows.list(table, query);
          if (query.each === undefined) await rows.count(table, query);
        }
      }
    });
    prepare.mockRestore();
    expect(asked.size).toBeGreaterThan(200);
    const db = new DatabaseSync(join(opened.directory, "store.db"), { readOnly: true });
    onTestFinished(() => db.close());
    for (const [sql, whole] of asked) {
      if (!sql.includes("FROM")) continue;
      const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
      const wrong = steps
        .map(({ detail }) => String(detail))
        // Many beginnings are put in their order; a list of all, and the first of all, is a scan of its index.
        .filter((step) => !sql.includes("json_each") || !step.includes("TEMP B-TREE"))
        .filter(
          (step) => /^SCAN (?!w\b|walk|\(subquery)|TEMP B-TREE/.test(step) && !(whole && step.startsWith("SCAN t")),
        );
      expect(wrong, sql).toEqual([]);
    }
  });

  test("give the same as those in memory, whatever is put and removed and in whatever form it is asked", async () => {
    await using opened = await open();
    await modelRuns(
      "packages/core/test/sqlite-tables.test.ts",
      20_000,
      plays,
      async ({ table, rows, gone, queries }) => {
        const memory = new MemoryTables();
        const { tables } = opened.kernel;
        const kept = rows.filter(isAlone(table));
        for (const to of [memory, tables])
          await to.transact(async (at) => {
            await at.put(table, kept);
            await at.remove(table, gone);
          });
        const answers = async (from: ReadRows): Promise<string> => {
          const found: unknown[] = [await from.get(table, [...rows, ...gone])];
          for (const query of queries) {
            found.push(await from.list(table, query));
            if (query.each === undefined && query.begins === undefined) {
              const { limit: _limit, columns: _columns, ...counted } = query;
              found.push(await from.count(table, counted));
            }
          }
          return JSON.stringify(found, sorted);
        };
        const [wanted, given] = [await memory.read(answers), await tables.read(answers)];
        await tables.transact(async (at) => at.remove(table, await at.list(table, {})));
        return wanted === given ? [] : [`SQLite gives ${given}, memory ${wanted}`];
      },
    );
  }, 300_000);
});

const TEXTS = ["", "a", "b", "ab", "B", "\uFFFD", "\u{1F600}", "'"];

/** Each beginning of each list, with all that may follow. */
function formsOf(table: AnyTable): readonly AnyQuery[] {
  const row = anyRow(table);
  return [undefined, ...Object.keys(table.lists)].flatMap((by) => {
    const columns = by === undefined ? table.key : (table.lists[by]?.columns ?? []);
    return columns.flatMap((_, length): AnyQuery[] => {
      const of = length === 0 ? {} : { of: [part(row, columns.slice(0, length))] };
      const base = by === undefined ? of : { by, ...of };
      const after = { after: part(row, columns.slice(length)) };
      return [base, { ...base, reverse: true }, { ...base, ...after }, { ...base, ...after, reverse: true }].flatMap(
        (query) => [query, { ...query, limit: 1 }, { ...query, each: columns[length] ?? "" }],
      );
    });
  });
}

function anyRow(table: AnyTable): AnyRow {
  return Object.fromEntries(
    Object.entries(table.columns).map(([name, type]) => [name, type.startsWith("integer") ? 1 : "a"]),
  );
}

function part(row: AnyRow, names: readonly string[]): AnyRow {
  return Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
}

/** No two rows that were put are alike in what is to be unique. */
function isAlone({ lists }: AnyTable): (row: AnyRow) => boolean {
  const seen = new Set<string>();
  return (row) => {
    const names = Object.entries(lists)
      .filter(([, list]) => list.unique === true || list.columns.includes("ended"))
      .map(([name, { columns }]) => [name, columns.map((column) => row[column])] as const)
      .filter(([, values]) => !values.includes(null))
      .map((one) => JSON.stringify(one));
    const isNew = names.every((name) => !seen.has(name));
    if (isNew) for (const name of names) seen.add(name);
    return isNew;
  };
}

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

interface Play {
  readonly table: AnyTable;
  readonly rows: readonly AnyRow[];
  readonly gone: readonly AnyRow[];
  readonly queries: readonly AnyQuery[];
}

const plays: fc.Arbitrary<Play> = fc
  .constantFrom(...([REGISTER, USES, TASKS, PLANS, SECRETS, JOURNAL] as unknown as readonly AnyTable[]))
  .chain((table) =>
    fc.record({
      table: fc.constant(table),
      rows: fc.uniqueArray(rowsOf(table), { maxLength: 14, selector: (row) => JSON.stringify(part(row, table.key)) }),
      gone: fc.array(rowsOf(table), { maxLength: 4 }),
      queries: fc.array(queriesOf(table), { minLength: 1, maxLength: 6 }),
    }),
  );

function rowsOf(table: AnyTable): fc.Arbitrary<AnyRow> {
  return fc.record(
    Object.fromEntries(Object.entries(table.columns).map(([name, type]) => [name, valuesOf(type)])),
  ) as fc.Arbitrary<AnyRow>;
}

function valuesOf(type: string): fc.Arbitrary<string | number | null> {
  const value: fc.Arbitrary<string | number> = type.startsWith("integer")
    ? fc.integer({ min: 0, max: 20 })
    : fc.constantFrom(...TEXTS);
  return type.endsWith("?") ? fc.option(value, { freq: 3 }) : value;
}

function queriesOf(table: AnyTable): fc.Arbitrary<AnyQuery> {
  const lists = [undefined, ...Object.keys(table.lists)];
  return fc
    .record({ by: fc.constantFrom(...lists), first: fc.nat(6), following: fc.nat(6), each: fc.nat(8), ...CHOICES })
    .chain(({ by, first, following, each, ...choice }) => {
      const columns = by === undefined ? table.key : (table.lists[by]?.columns ?? []);
      const length = Math.min(first, columns.length - 1);
      const rest = columns.slice(length);
      const filled = fc.record(
        Object.fromEntries(columns.map((name) => [name, valuesOf(table.columns[name]?.replace("?", "") ?? "")])),
      ) as fc.Arbitrary<AnyRow>;
      return fc.record({ rows: fc.array(filled, { maxLength: 3 }), row: filled }).map(({ rows, row }): AnyQuery => {
        const alike = choice.kind === "each" ? rest[Math.min(each, rest.length - 1)] : undefined;
        const next = rest[0] ?? "";
        const isText = table.columns[next]?.startsWith("text") === true;
        return {
          ...(by === undefined ? {} : { by }),
          ...(length === 0 ? {} : { of: rows.map((one) => part(one, columns.slice(0, length))) }),
          ...(choice.after ? { after: part(row, rest.slice(0, 1 + Math.min(following, rest.length - 1))) } : {}),
          ...(choice.kind === "before" ? { before: part(row, [next]) } : {}),
          ...(choice.kind === "begins" && isText ? { begins: String(row[next]) } : {}),
          ...(alike === undefined ? {} : { each: alike }),
          ...(choice.reverse ? { reverse: true } : {}),
          ...(choice.limit === null ? {} : { limit: choice.limit }),
          ...(choice.narrow ? { columns: [...table.key] } : {}),
        };
      });
    });
}

const CHOICES = {
  after: fc.boolean(),
  kind: fc.constantFrom("before", "begins", "each", "none"),
  reverse: fc.boolean(),
  limit: fc.option(fc.nat(4)),
  narrow: fc.boolean(),
};

test("a query that its generator makes is one that tables take", () => {
  for (const table of TABLES) for (const query of formsOf(table)) expect(() => beginningOf(table, query)).not.toThrow();
});
