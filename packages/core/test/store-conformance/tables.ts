import { describe, expect, it, onTestFinished } from "vitest";
import type { Query, Tables } from "../../src/contracts/store/tables.ts";
import { COUNTERS } from "../../src/store/tables/named.ts";
import { PLANS } from "../../src/store/tables/plans.ts";
import { SECRETS } from "../../src/store/tables/secrets.ts";
import { REGISTER, type RegisterRow } from "../../src/store/tables/register.ts";
import { TASKS, type TaskRow } from "../../src/store/tables/tasks.ts";

export interface TablesHarness {
  readonly tables: Tables;
  /** Another handle on the same tables. */
  readonly other: Tables;
  cleanup(): Promise<void>;
}

const held = (server: string, type: string, key: string, owner: string): RegisterRow => ({
  server,
  type,
  key,
  owner,
  shared: 0,
  hash: null,
});
const task = (id: string, seq: number, change: Partial<TaskRow> = {}): TaskRow => ({
  id,
  seq,
  type: "install",
  request: "{}",
  state: "queued",
  actor: "system",
  parent: null,
  key: null,
  timeoutMs: null,
  digest: "",
  createdAt: "",
  finishedAt: null,
  ended: null,
  outcome: "null",
  subject: null,
  waits: null,
  about: null,
  ...change,
});

/** In the order of code points: JavaScript itself would have the last two the other way round. */
const ODD = ["", " ", "%_", "'; --", "A", "a\nb", 'a"b', "a\\b", "á", "\uFFFD", "\u{1F600}"];

/** What `Tables` promises, for any store; with the tables that core has. */
export function tablesConformance(name: string, open: () => Promise<TablesHarness>): void {
  const use = async (): Promise<TablesHarness> => {
    const harness = await open();
    onTestFinished(async () => harness.cleanup());
    return harness;
  };

  describe(`${name} as Tables`, () => {
    it("gives rows by their keys, each in its place, with the columns that were asked for", async () => {
      const { tables, other } = await use();
      const rows = [held("v1", "file", "/a", "x"), held("v1", "file", "/b", "x")];
      await tables.transact(async (to) => to.put(REGISTER, rows));
      const keys = [held("v1", "file", "/b", "x"), held("v2", "file", "/b", "x"), held("v1", "file", "/a", "x")];
      await other.read(async (from) => {
        expect(await from.get(REGISTER, keys)).toEqual([rows[1], undefined, rows[0]]);
        expect(await from.get(REGISTER, keys.slice(0, 1), ["key"])).toEqual([{ key: "/b" }]);
        expect(await from.get(REGISTER, keys.slice(1, 2))).toEqual([undefined]);
        expect(await from.get(REGISTER, [])).toEqual([]);
      });
    });

    it("sets whole rows, removes what is named, and minds nothing that is not there", async () => {
      const { tables } = await use();
      const [one, two] = [held("v1", "file", "/a", "x"), held("v1", "file", "/b", "x")];
      await tables.transact(async (rows) => {
        await rows.put(REGISTER, [one, two]);
        await rows.put(REGISTER, [{ ...one, hash: "h", shared: 1 }, two]);
        await rows.remove(REGISTER, [two, held("v9", "", "", "")]);
        expect(await rows.list(REGISTER, {})).toEqual([{ ...one, hash: "h", shared: 1 }]);
      });
      expect(await tables.read(async (rows) => rows.list(REGISTER, {}))).toEqual([{ ...one, hash: "h", shared: 1 }]);
    });

    it("lists by beginnings, one after the other, in the order of the list or against it", async () => {
      const { tables } = await use();
      const rows = [
        held("v1", "a", "1", "x"),
        held("v1", "a", "2", "y"),
        held("v1", "b", "1", "x"),
        held("v2", "a", "1", "x"),
      ];
      const [first, second, third, fourth] = rows;
      await tables.transact(async (to) => to.put(REGISTER, rows.toReversed()));
      await tables.read(async (from) => {
        const list = async (query: Query<RegisterRow>) => from.list(REGISTER, query);
        expect(await list({})).toEqual(rows);
        expect(await list({ of: [{ server: "v2" }, { server: "v1" }] })).toEqual([fourth, first, second, third]);
        expect(await list({ of: [] })).toEqual([]);
        expect(await list({ by: "owner", of: [{ server: "v1", owner: "x" }] })).toEqual([first, third]);
        const v1 = { of: [{ server: "v1" }] };
        expect(await list({ ...v1, reverse: true, limit: 2 })).toEqual([third, second]);
        expect(await list({ ...v1, after: { type: "a", key: "1", owner: "x" } })).toEqual([second, third]);
        expect(await list({ ...v1, after: { type: "a" } })).toEqual([third]);
        expect(await list({ ...v1, after: { type: "b" }, reverse: true })).toEqual([second, first]);
        expect(await list({ ...v1, before: { type: "b" } })).toEqual([first, second]);
        expect(await list({ ...v1, before: { type: "a" }, reverse: true })).toEqual([third]);
        expect(await list({ of: [{ server: "v1" }, { server: "v2" }], limit: 1 })).toEqual([first, fourth]);
        expect(await from.count(REGISTER, { of: [{ server: "v1" }, { server: "v2" }] })).toBe(4);
        expect(await from.count(REGISTER, { ...v1, before: { type: "b" } })).toBe(2);
      });
    });

    it("lists the first of each that are alike, after one of them, and as many as asked", async () => {
      const { tables } = await use();
      const rows = ["a", "a", "b", "c"].map((server, n) => held(server, "file", `/${n}`, "x"));
      await tables.transact(async (to) => to.put(REGISTER, rows));
      await tables.read(async (from) => {
        const servers = async (more: object) =>
          (await from.list(REGISTER, { each: "server", ...more })).map(({ server, key }) => `${server}${key}`);
        expect(await servers({})).toEqual(["a/0", "b/2", "c/3"]);
        expect(await servers({ reverse: true })).toEqual(["c/3", "b/2", "a/1"]);
        expect(await servers({ after: { server: "a" }, limit: 1 })).toEqual(["b/2"]);
        const finer = { server: "a", type: "file", key: "/0" };
        expect(await servers({ after: finer })).toEqual(["a/1", "b/2", "c/3"]);
        const keys = { of: [{ server: "a" }, { server: "z" }, { server: "c" }], each: "key" } as const;
        expect((await from.list(REGISTER, keys)).map(({ key }) => key)).toEqual(["/0", "/1", "/3"]);
      });
    });

    it("leaves out of a list what has nothing in one of its columns", async () => {
      const { tables } = await use();
      const all = [
        task("t1", 1, { subject: "b", waits: "[]" }),
        task("t2", 2, { subject: "a" }),
        task("t3", 3, { waits: "[]" }),
        task("t4", 4, { subject: "a", waits: "[]", ended: 7 }),
      ];
      await tables.transact(async (rows) => rows.put(TASKS, all));
      await tables.read(async (rows) => {
        const ids = async (query: object) => (await rows.list(TASKS, query)).map(({ id }) => id);
        expect(await ids({ by: "line" })).toEqual(["t4", "t1"]);
        expect(await ids({ by: "line", each: "subject" })).toEqual(["t4", "t1"]);
        expect(await ids({ by: "ended" })).toEqual(["t4"]);
        expect(await ids({ by: "line", of: [{ subject: null }] })).toEqual([]);
        expect(await rows.count(TASKS, { by: "line" })).toBe(2);
      });
    });

    it("keeps any text as it is, in the order of its code points", async () => {
      const { tables, other } = await use();
      const rows = ODD.map((id) => ({ id, sealed: id }));
      await tables.transact(async (to) => to.put(SECRETS, rows.toReversed()));
      await other.read(async (from) => {
        expect(await from.list(SECRETS, {})).toEqual(rows);
        expect(await from.get(SECRETS, rows)).toEqual(rows);
        expect(await from.list(SECRETS, { of: rows.map(({ id }) => ({ id })) })).toEqual(rows);
        expect(await from.list(SECRETS, { each: "id" })).toEqual(rows);
        for (const [index, { id }] of rows.entries())
          expect(await from.list(SECRETS, { after: { id }, limit: 1 })).toEqual(rows.slice(index + 1, index + 2));
        const begins = async (text: string) => (await from.list(SECRETS, { begins: text })).map(({ id }) => id);
        expect(await begins("a")).toEqual(["a\nb", 'a"b', "a\\b"]);
        expect([await begins("%_"), await begins("%"), await begins("_")]).toEqual([["%_"], ["%_"], []]);
        expect(await begins("")).toEqual(ODD);
      });
      await tables.transact(async (to) => to.remove(SECRETS, rows.slice(1)));
      expect(await other.read(async (from) => from.list(SECRETS, {}))).toEqual(rows.slice(0, 1));
    });

    it("writes nothing of a transaction that throws, whatever it did before", async () => {
      const { tables, other } = await use();
      const [one, two] = [held("v1", "file", "/a", "x"), held("v1", "file", "/b", "x")];
      await tables.transact(async (rows) => rows.put(REGISTER, [one, two]));
      const failing = tables.transact(async (rows) => {
        await rows.put(REGISTER, [{ ...one, hash: "new" }, held("v2", "file", "/c", "x")]);
        await rows.remove(REGISTER, [two]);
        await rows.put(REGISTER, [{ ...two, hash: "new" }]);
        await rows.remove(REGISTER, [one, two]);
        expect(await rows.count(REGISTER, {})).toBe(1);
        throw new Error("on purpose");
      });
      await expect(failing).rejects.toThrow("on purpose");
      for (const one_ of [tables, other])
        expect(await one_.read(async (rows) => rows.list(REGISTER, {}))).toEqual([one, two]);
    });

    it("runs transactions as if one after the other, of however many handles", async () => {
      const { tables, other } = await use();
      const add = async (to: Tables): Promise<void> =>
        to.transact(async (rows) => {
          const [row] = await rows.get(COUNTERS, [{ name: "n" }]);
          await rows.put(COUNTERS, [{ name: "n", value: (row?.value ?? 0) + 1 }]);
        });
      await Promise.all(Array.from({ length: 40 }, async (_, n) => add(n % 2 === 0 ? tables : other)));
      expect(await tables.read(async (rows) => rows.get(COUNTERS, [{ name: "n" }]))).toEqual([
        { name: "n", value: 40 },
      ]);
    });

    it("shows a reader one state, whatever is written meanwhile, and no half of it", async () => {
      const { tables, other } = await use();
      const put = async (to: Tables, value: number): Promise<void> =>
        to.transact(async (rows) => {
          await rows.put(COUNTERS, [{ name: "a", value }]);
          await rows.put(COUNTERS, [{ name: "b", value }]);
        });
      await put(tables, 0);
      for (const writer of [tables, other]) {
        let writing: Promise<unknown> | undefined;
        const seen = await tables.read(async (rows) => {
          const values: unknown[] = [];
          for (let n = 0; n < 50; n++) {
            for (const name of ["a", "b"]) values.push((await rows.get(COUNTERS, [{ name }]))[0]?.value);
            writing ??= Promise.all([1, 2, 3].map(async (value) => put(writer, value)));
          }
          return values;
        });
        expect(new Set(seen).size).toBe(1);
        await writing;
      }
      // Of calls at the same time any may be the last.
      const [a, b] = await other.read(async (rows) => rows.get(COUNTERS, [{ name: "a" }, { name: "b" }]));
      expect([1, 2, 3]).toContain(b?.value);
      expect(a?.value).toBe(b?.value);
    });

    it("tells by another value that something changed, whoever changed it, and by the same that nothing did", async () => {
      const { tables, other } = await use();
      const before = await tables.changed();
      await tables.read(async (rows) => rows.list(PLANS, {}));
      expect(await tables.changed()).toBe(before);
      const seen = new Set([before]);
      for (const [n, writer] of [tables, other, tables, other].entries()) {
        await writer.transact(async (rows) => rows.put(COUNTERS, [{ name: "n", value: n }]));
        seen.add(await tables.changed());
      }
      expect(seen.size).toBe(5);
    });

    it("refuses a list, and a place in it, that the table does not have", async () => {
      const { tables } = await use();
      const ask = async (query: object): Promise<unknown> => tables.read(async (rows) => rows.list(REGISTER, query));
      for (const query of [
        { by: "nothing" },
        { of: [{ type: "file" }] },
        { of: [{ server: "v1", owner: "x" }] },
        { after: { type: "file" } },
        { before: { owner: "x" } },
        { of: [{ server: "v1" }], each: "server" },
        { each: "server", begins: "v" },
      ])
        await expect(ask(query), JSON.stringify(query)).rejects.toMatchObject({ code: "HW_INTERNAL" });
    });
  });
}
