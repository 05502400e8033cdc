import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { RecordReference, StateStore } from "../src/contracts/store.ts";
import { presentSite } from "../src/model/former-site.ts";
import { EVENT_MIGRATIONS, STORE_MIGRATIONS } from "../src/store/sqlite/schema.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { ME, OTHER } from "./store-conformance/holders.ts";
import { AT, aRow, aTask, running } from "./store-conformance/parts.ts";
import { openSqliteHarness } from "./sqlite-harness.ts";
import { storeConformance } from "./store-conformance.ts";
import { underLoad } from "../../../test/support/under-load.ts";

const real = DatabaseSync.prototype.prepare;

function folder(): string {
  return mkdtempSync(join(tmpdir(), "hostwright-store-"));
}

storeConformance("SQLite store", openSqliteHarness);

describe("the files of a SQLite store", () => {
  async function openIn(
    directory: string,
    options: { leaseMs?: number; busyMs?: number; heldMs?: number } = {},
  ): Promise<StateStore> {
    const store = await openSqliteStore({ directory, ...options });
    onTestFinished(async () => store.close());
    return store;
  }

  function temporary(): string {
    const directory = folder();
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    return directory;
  }

  function edit(path: string, sql: string): void {
    const db = new DatabaseSync(path);
    db.exec(sql);
    db.close();
  }

  function rowsIn(directory: string, sql: string): readonly unknown[] {
    const db = new DatabaseSync(join(directory, "store.db"), { readOnly: true });
    try {
      return db.prepare(sql).all();
    } finally {
      db.close();
    }
  }

  it("are readable by their owner only, whatever the umask", async () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const directory = join(temporary(), "a", "state");
    const store = await openIn(directory);
    await store.journal.write([aRow("t1")]);
    await store.events.append([{ at: AT, task: null, type: "a:b", payload: null }]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const files = readdirSync(directory);
    expect(files).toEqual(expect.arrayContaining(["store.db", "store.db-wal", "events.db", "events.db-wal"]));
    expect(files.filter((file) => (statSync(join(directory, file)).mode & 0o777) !== 0o600)).toEqual([]);
  });

  it("are refused when others can read them or enter their folder", async () => {
    const directory = join(temporary(), "state");
    mkdirSync(directory, { mode: 0o755 });
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "HW_STORE_EXPOSED" });
    chmodSync(directory, 0o700);
    await (await openSqliteStore({ directory })).close();
    chmodSync(join(directory, "store.db"), 0o640);
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "HW_STORE_EXPOSED" });
  });

  it("of a newer version are refused and left as they are", async () => {
    const directory = join(temporary(), "state");
    await (await openSqliteStore({ directory })).close();
    edit(join(directory, "store.db"), "PRAGMA user_version = 99");
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({
      code: "HW_STORE_INCOMPATIBLE",
      data: { found: 99 },
    });
    const db = new DatabaseSync(join(directory, "store.db"));
    expect(db.prepare("PRAGMA user_version").get()).toMatchObject({ user_version: 99 });
    db.close();
  });

  it("that are no database are refused with what to do", async () => {
    const directory = join(temporary(), "state");
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(
      join(directory, "store.db"),
      "not a database, but long enough to be read as a header by SQLite".repeat(20),
      { mode: 0o600 },
    );
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "HW_STORE_DAMAGED" });
  });

  it("keep installation and epoch when they are opened again", async () => {
    const directory = join(temporary(), "state");
    const first = await openSqliteStore({ directory });
    const identity = await first.identity();
    await first.close();
    expect(await (await openIn(directory)).identity()).toEqual(identity);
  });

  it("wait for a lock without blocking this process, and give up with a code", async () => {
    const directory = join(temporary(), "state");
    const store = await openIn(directory, { busyMs: 300 });
    const blocker = new DatabaseSync(join(directory, "store.db"));
    onTestFinished(() => blocker.close());
    blocker.exec("BEGIN IMMEDIATE");
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    await expect(store.journal.write([aRow("t1")])).rejects.toMatchObject({ code: "HW_STORE_BUSY", retryable: true });
    clearInterval(timer);
    expect(longest).toBeLessThan(underLoad(150));
    const waiting = store.journal.write([aRow("t2")]);
    blocker.exec("ROLLBACK");
    await waiting;
    expect(await store.journal.read("t1")).toEqual([]);
    expect(await store.journal.read("t2")).toHaveLength(1);
  });

  it("let a worker wait for a lock longer than others, and leave its task as it is when it is over", async () => {
    const directory = join(temporary(), "state");
    const store = await openIn(directory, { busyMs: 50, heldMs: 400 });
    await running(store, "t1");
    await store.leases.acquire("t1", ME, [{ scope: "task/t1", mode: "exclusive" }]);
    const { journal } = store.held("t1", ME);
    const blocker = new DatabaseSync(join(directory, "store.db"));
    onTestFinished(() => blocker.close());
    blocker.exec("BEGIN IMMEDIATE");
    await expect(journal.write([aRow("t1")])).rejects.toMatchObject({
      code: "HW_LEASE_LOST",
      cause: { code: "HW_STORE_BUSY" },
    });
    const late = await openIn(directory, { busyMs: 50, heldMs: 60_000 });
    const other = await openIn(directory, { busyMs: 50 });
    const waiting = late.held("t1", ME).journal.write([aRow("t1", { action: 1 })]);
    // Others have given up before it does.
    await expect(other.bookmarks.put("x", 1)).rejects.toMatchObject({ code: "HW_STORE_BUSY" });
    blocker.exec("ROLLBACK");
    await waiting;
    expect((await store.journal.read("t1")).map(({ action }) => action)).toEqual([1]);
    expect(await store.leases.heartbeat("t1", ME)).toBe(true);
  });

  it("leap ahead in event numbers after a start of the machine, which may have lost the newest", async () => {
    const directory = join(temporary(), "state");
    const store = await openSqliteStore({ directory });
    const event = { at: AT, task: null, type: "a:b", payload: null };
    const [before] = await store.events.append([event]);
    await store.close();
    edit(join(directory, "events.db"), "UPDATE meta SET value = 'earlier boot' WHERE name = 'boot'");
    const later = await openIn(directory);
    const [after] = await later.events.append([event]);
    expect(after?.seq).toBeGreaterThan((before?.seq ?? 0) + 100_000);
    await (await openIn(directory)).events.append([event]);
    expect(await later.events.last()).toBe((after?.seq ?? 0) + 1);
  });

  it("take a lease for dead when its heartbeat stands still, and not while it beats", async () => {
    const directory = join(temporary(), "state");
    const store = await openIn(directory, { leaseMs: 200 });
    const ask = async () => store.leases.acquire("t2", ME, [{ scope: "site/s1", mode: "exclusive" }]);
    await store.leases.acquire("t1", OTHER, [{ scope: "site/s1", mode: "exclusive" }]);
    for (let n = 0; n < 8; n++) {
      await store.leases.heartbeat("t1", OTHER);
      expect(await ask()).toHaveProperty("blockedBy");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await expect.poll(ask).toHaveProperty("granted");
    expect(await store.leases.heartbeat("t1", OTHER)).toBe(false);
  });

  it("judge a lease by the time that its own store was opened with, on both sides", async () => {
    const directory = join(temporary(), "state");
    const [hasty, slow] = [await openIn(directory, { leaseMs: 100 }), await openIn(directory, { leaseMs: 3_600_000 })];
    const ask = async (store: StateStore, scope: string) =>
      store.leases.acquire("t3", ME, [{ scope, mode: "exclusive" }]);
    await hasty.leases.acquire("t1", OTHER, [{ scope: "site/s1", mode: "exclusive" }]);
    await slow.leases.acquire("t2", OTHER, [{ scope: "site/s2", mode: "exclusive" }]);
    expect(await ask(hasty, "site/s2")).toHaveProperty("blockedBy");
    await expect.poll(async () => ask(slow, "site/s1")).toHaveProperty("granted");
    expect(await ask(hasty, "site/s2")).toHaveProperty("blockedBy");
    // Whoever takes a task over promises anew.
    await slow.leases.acquire("t1", ME, [{ scope: "site/s3", mode: "exclusive" }]);
    expect(await slow.leases.list()).toMatchObject([{ task: "t3", lifeMs: 3_600_000 }, { task: "t2" }, { task: "t1" }]);
  });

  it("are not written when who waits asks again", async () => {
    const directory = join(temporary(), "state");
    const store = await openIn(directory);
    const ask = async (task: string) => store.leases.acquire(task, ME, [{ scope: "site/s1", mode: "exclusive" }]);
    await ask("t1");
    await running(store, "t2");
    const db = new DatabaseSync(join(directory, "store.db"), { readOnly: true });
    onTestFinished(() => db.close());
    const version = (): unknown => db.prepare("PRAGMA data_version").get()?.["data_version"];
    const empty = version();
    expect(await ask("t2")).toHaveProperty("blockedBy");
    const placed = version();
    expect(placed).not.toBe(empty);
    for (let n = 0; n < 5; n++) expect(await ask("t2")).toHaveProperty("blockedBy");
    expect(version()).toBe(placed);
    await store.tasks.submit(aTask("t3"), { subject: "site/s1", scopes: [{ scope: "site/s1", mode: "exclusive" }] });
    const submitted = version();
    for (let n = 0; n < 5; n++) {
      expect(await store.leases.next(new Set())).toBeNull();
      expect(await store.leases.claim("t3", ME)).toHaveProperty("blockedBy");
    }
    expect(version()).toBe(submitted);
  });

  it("with sites of before their bindings are read as those of a plan of before, and looked for by what they use", async () => {
    const directory = join(temporary(), "state");
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, "store.db"), "", { mode: 0o600 });
    const first = STORE_MIGRATIONS.slice(0, 11);
    edit(join(directory, "store.db"), `${first.join(";")}; PRAGMA user_version = ${first.length}`);
    const common = { status: "installed", platform: "p1", enabled: true };
    const place = { server: "v2", service: "db" };
    const former = [
      { id: "s1", ...common, http: "http", php: "php", database: place },
      { id: "s2", ...common, http: "apache", php: null, database: null },
      {
        id: "s3",
        ...common,
        http: "http",
        php: "php",
        database: place,
        bindings: { cache: { server: "v3", service: "c" } },
      },
    ];
    for (const site of former)
      edit(
        join(directory, "store.db"),
        `INSERT INTO records VALUES ('site', '${site.id}', '${site.id}.test', 1, '${JSON.stringify(site)}');
         INSERT INTO claims VALUES ('site', '${site.id}.test', '${site.id}')`,
      );
    const { records } = await openIn(directory);
    for (const site of former) expect((await records.get("site", site.id))?.value).toEqual(presentSite(site as never));
    expect((await records.get("site", "s3"))?.value).toEqual({
      id: "s3",
      ...common,
      bindings: {
        http: { service: "http" },
        php: { service: "php" },
        db: place,
        cache: { server: "v3", service: "c" },
      },
    });
    const using = async (id: string): Promise<readonly string[]> =>
      (await records.referring("site", { by: "server", ids: [id], status: ["installed"] })).map((row) => row.id);
    expect([await using("v2"), await using("v3")]).toEqual([["s1", "s3"], ["s3"]]);
    const by = { by: "platform", ids: ["p1"], status: ["installed"] } as const;
    expect(await records.different("site", "http", by)).toEqual(["apache", "http"]);
  });

  it("written by the first schema are brought to the newest, with all that was in them", async () => {
    const directory = join(temporary(), "state");
    mkdirSync(directory, { mode: 0o700 });
    const files = [
      ["store.db", STORE_MIGRATIONS],
      ["events.db", EVENT_MIGRATIONS],
    ] as const;
    for (const [name, [first = ""]] of files) {
      writeFileSync(join(directory, name), "", { mode: 0o600 });
      edit(join(directory, name), `${first}; PRAGMA user_version = 1`);
    }
    edit(
      join(directory, "store.db"),
      `INSERT INTO tasks (id, type, request, state, plan, actor, key, digest, createdAt, finishedAt, outcome) VALUES
         ('t1', 'install', '{}', 'running', '"sealed"', 'a', 'k', 'd', '${AT}', NULL, 'null'),
         ('t2', 'install', '{}', 'queued', 'null', 'a', NULL, 'd', '${AT}', NULL, 'null');
       INSERT INTO records VALUES ('site', 's1', 'a.test', 1, '{"n":1}');
       INSERT INTO claims VALUES ('site', 'a.test', 's1'), ('site', 'www.a.test', 's1')`,
    );
    const store = await openIn(directory);
    expect(await store.tasks.get("t1")).toMatchObject({ state: "running", plan: "sealed", key: "k", timeoutMs: null });
    expect(await store.tasks.get("t2")).toMatchObject({ state: "queued", plan: null });
    expect(await store.tasks.move("t1", ["running"], "undone", { plan: null })).toBe(true);
    expect(await store.tasks.get("t1")).toMatchObject({ state: "undone", plan: null });
    expect(await store.records.get("site", "www.a.test")).toMatchObject({ id: "s1", value: { n: 1 } });
  });

  it("of before tasks were listed by what they are about list them by the one name of that", async () => {
    const directory = join(temporary(), "state");
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, "store.db"), "", { mode: 0o600 });
    const before = STORE_MIGRATIONS.slice(0, -1);
    const requests = {
      t1: { domain: "a.test" },
      t2: { site: "s1" },
      t3: { site: "www.a.test" },
      t4: { alias: "@A.test" },
      t5: { server: "web1" },
      t6: { domain: "gone.test" },
      t7: ["a.test"],
      t8: "a.test",
    };
    const tasks = Object.entries(requests).map(
      ([id, request], place) =>
        `INSERT INTO tasks (id, seq, type, request, state, actor, digest, createdAt, outcome) VALUES ('${id}', ${place + 1}, 'x:y', '${JSON.stringify(request)}', 'undone', 'a', 'd', '${AT}', 'null');`,
    );
    edit(
      join(directory, "store.db"),
      `${before.join(";")}; PRAGMA user_version = ${before.length};
       INSERT INTO records VALUES ('site', 's1', 'a.test', 1, '{}');
       INSERT INTO claims VALUES ('site', 'a.test', 's1'), ('site', 'www.a.test', 's1');
       ${tasks.join("\n")}`,
    );
    const store = await openIn(directory);
    const about = async (name: string): Promise<readonly string[]> =>
      (await store.tasks.list({ about: [name] })).map(({ id }) => id);
    expect(await about("a.test")).toEqual(["t1", "t2", "t3", "t4"]);
    expect(await about("web1")).toEqual(["t5"]);
    expect(await about("gone.test")).toEqual(["t6"]);
    expect(await store.tasks.list()).toHaveLength(8);
  });

  it("of before the tables of core keep what refers to what, and the places in line", async () => {
    const directory = join(temporary(), "state");
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, "store.db"), "", { mode: 0o600 });
    const before = STORE_MIGRATIONS.slice(0, 13);
    const value = (one: object): string => JSON.stringify(one).replaceAll("'", "''");
    const db = { server: "v2", service: "mysql" };
    const records = [
      ["server", "v1", "web1", {}],
      ["server", "v2", "db1", {}],
      ["platform", "p1", "pl1", { server: "v1", status: "installed" }],
      ["site", "s1", "a.test", { status: "installed", platform: "p1", bindings: { http: { service: "nginx" }, db } }],
      [
        "site",
        "s2",
        "b.test",
        { status: "draft", platform: "p1", bindings: { http: { service: "apache" }, db: null } },
      ],
      ["client", "c1", "somebody", "plain text"],
    ] as const;
    edit(
      join(directory, "store.db"),
      `${before.join(";")}; PRAGMA user_version = ${before.length};
       ${records
         .map(
           ([kind, id, name, one]) =>
             `INSERT INTO records VALUES ('${kind}', '${id}', '${name}', 1, '${value(one as object)}'); INSERT INTO claims VALUES ('${kind}', '${name}', '${id}');`,
         )
         .join("")}
       INSERT INTO register VALUES ('v1', 'file', '/a', 'site/s1', 0, NULL);
       INSERT INTO tasks (seq, id, type, request, state, actor, digest, createdAt, outcome, subject, waits) VALUES (7, 't7', 'x', '{}', 'queued', 'a', 'd', '', 'null', 't7', '[]');
       DELETE FROM tasks`,
    );
    const store = await openIn(directory);
    const referring = async (by: RecordReference, id: string) =>
      (await store.records.referring("site", { by, ids: [id], status: ["installed", "draft"] })).map((row) => row.id);
    expect(await referring("platform", "p1")).toEqual(["s1", "s2"]);
    expect([await referring("server", "v2"), await referring("service", "v2/mysql")]).toEqual([["s1"], ["s1"]]);
    const by = { by: "platform", ids: ["p1"], status: ["installed", "draft"] } as const;
    expect(await store.records.different("site", "http", by)).toEqual(["apache", "nginx"]);
    for (const [id, what] of [
      ["v1", "the platform pl1"],
      ["v2", "the site a.test"],
    ] as const)
      await expect(store.records.forget("server", id, 1)).rejects.toThrow(what);
    expect(await store.register.about("v1", ["site/s1"], [])).toHaveLength(1);
    await store.tasks.submit(aTask("t8"));
    expect(await store.integrity()).toEqual([]);
    expect(rowsIn(directory, "SELECT seq FROM tasks WHERE id = 't8'")).toEqual([{ seq: 8 }]);
    // A process of the former version that is still open knows no counter of places.
    edit(
      join(directory, "store.db"),
      "INSERT INTO tasks (id, type, request, state, actor, digest, createdAt, outcome) VALUES ('t9', 'x', '{}', 'undone', 'a', 'd', '', 'null')",
    );
    await store.tasks.submit(aTask("t10"));
    expect(rowsIn(directory, "SELECT id FROM tasks ORDER BY seq")).toEqual([{ id: "t8" }, { id: "t9" }, { id: "t10" }]);
    // What is written now is what the migration made of the same record.
    const migrated = rowsIn(directory, "SELECT * FROM uses");
    for (const kind of ["platform", "site"] as const)
      for (const { version, ...record } of await store.records.list(kind)) {
        await store.records.put({ ...record, value: {} }, { expect: version, claims: [] });
        await store.records.put(record, { expect: version + 1, claims: [] });
      }
    expect(rowsIn(directory, "SELECT * FROM uses")).toEqual(migrated);
  });

  it("are asked by an index for all that is asked often, however much there is", async () => {
    const directory = join(temporary(), "state");
    const store = await openIn(directory);
    const db = new DatabaseSync(join(directory, "store.db"), { readOnly: true });
    onTestFinished(() => db.close());
    const asked: string[] = [];
    const prepare = vi.spyOn(DatabaseSync.prototype, "prepare").mockImplementation(function (this: DatabaseSync, sql) {
      asked.push(sql);
      return real.call(this, sql);
    });
    onTestFinished(() => prepare.mockRestore());
    await store.records.get("site", "a.test");
    await store.records.list("site", { after: "a", limit: 10 });
    await store.records.claimedBy("site", "a.test");
    for (const by of ["platform", "server", "service"] as const) {
      await store.records.referring("site", { by, ids: ["x/y", "z"], status: ["installed"] });
      await store.records.different("site", "platform", { by, ids: ["x"], status: ["installed"] });
    }
    await store.tasks.unfinished();
    await store.tasks.list({ states: ["queued"], limit: 1 });
    await store.tasks.ended(0);
    await store.tasks.position("t1");
    await store.tasks.endedBefore(AT, 10);
    await store.register.owners("v1");
    await store.register.about("v1", ["site/s1"], [{ type: "file", key: "/a" }]);
    await store.journal.read("t1");
    prepare.mockRestore();
    expect(asked.length).toBeGreaterThan(8);
    for (const sql of asked) {
      const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
      const scans = steps
        .map(({ detail }) => String(detail))
        .filter((step) => /^SCAN (?!w\b|walk|\(subquery)/.test(step));
      expect(scans, sql).toEqual([]);
    }
  });

  it("say what is damaged in them", async () => {
    const directory = join(temporary(), "state");
    const store = await openIn(directory);
    expect(await store.integrity()).toEqual([]);
    await store.close();
    // The number of free pages, in the header.
    const file = openSync(join(directory, "store.db"), "r+");
    writeSync(file, Buffer.from([0, 0, 0, 9]), 0, 4, 36);
    closeSync(file);
    const found = await (await openIn(directory)).integrity();
    expect(found.map(({ what }) => what).join()).toMatch(/Freelist: size is \d+ but should be 9/);
  });

  it("say so when they are used after they were closed", async () => {
    const store = await openSqliteStore({ directory: join(temporary(), "state") });
    await store.close();
    await store.close();
    await expect(store.tasks.list()).rejects.toMatchObject({ code: "HW_CLOSED" });
    await expect(store.tasks.submit(aTask("t1"))).rejects.toMatchObject({ code: "HW_CLOSED" });
  });
});
