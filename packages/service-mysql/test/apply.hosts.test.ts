import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { sql, type Sql } from "@hostwright/core/plugin";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AccountState } from "../src/account-state.ts";
import { accountType } from "../src/account-type.ts";
import { databaseType } from "../src/database-type.ts";
import { grantPattern, identifier, literal } from "../src/quote.ts";
import { coded, column, DatabaseHost, PASSWORD_MARK, resolve, sessionOf, site } from "./database-host.ts";
import { EVERYBODYS, flavour } from "../../../test/support/tested-mysql.ts";
import { underLoad } from "../../../test/support/under-load.ts";

let db: DatabaseHost;

beforeAll(async () => {
  db = await DatabaseHost.start();
});

afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
});

describe("quoting, judged by the server", () => {
  const word = fc.string({
    unit: fc.constantFrom("a", "_", "%", "\\", "`", "'", '"', ";", "-", " ", "é", "\n", "$", "."),
    minLength: 1,
    maxLength: 12,
  });

  test("a literal reads back as the value", async () => {
    await using target = db.target();
    const session = await sessionOf(target);
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme", maxLength: 60 }).filter((value) => !value.includes("\0")),
        async (value) => {
          expect(await session.query(sql`SELECT ${literal(value)} AS v`)).toEqual([{ v: value }]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("grants on hostile names open exactly those databases", async () => {
    await using target = db.target();
    const session = await sessionOf(target);
    const names = [
      ...new Set(
        fc.sample(
          word.map((name) => `h${name}z`),
          60,
        ),
      ),
    ];
    await session.run(names.map((name) => sql`CREATE DATABASE ${identifier(name)}`));
    for (const name of names.slice(0, 20)) {
      await session.run([
        sql`CREATE USER hostile@localhost IDENTIFIED BY 'h'`,
        sql`GRANT SELECT ON ${grantPattern(name)}.* TO hostile@localhost`,
      ]);
      const php = await db.login("hostile", "h");
      expect(await column(php, "SHOW DATABASES")).toEqual(expect.arrayContaining([name]));
      expect(await column(php, "SHOW DATABASES")).toHaveLength(1 + EVERYBODYS.length);
      await php[Symbol.asyncDispose]();
      await session.run([sql`DROP USER hostile@localhost`]);
    }
    await session.run(names.map((name) => sql`DROP DATABASE ${identifier(name)}`));
  });
});

describe("500 databases with their accounts", () => {
  const ids = Array.from({ length: 500 }, (_, index) => `sbulk${index}`);
  const specs = ids.map(site);
  const keys = ids.map((id) => `${id}@localhost`);

  test("are made, read and removed in a few packets", async () => {
    await using target = db.target();
    const session = await sessionOf(target);
    const count = async <T>(what: string, queries: number, commands: number, work: () => Promise<T>): Promise<T> => {
      const [sent, ran, started] = [session.queries, db.server.stats.roundTrips, performance.now()];
      const result = await work();
      process.stdout.write(`  ${what}: ${Math.round(performance.now() - started)} ms\n`);
      expect({ queries: session.queries - sent, commands: db.server.stats.roundTrips - ran }).toEqual({
        queries,
        commands,
      });
      return result;
    };
    const databases = specs.map(([database]) =>
      databaseType.desired(databaseType.schema.parse(database?.spec), resolve),
    );
    const accounts = specs.map(([, account]) => accountType.desired(accountType.schema.parse(account?.spec), resolve));
    // Lock, read, packets of 200 statements, unlock.
    await count("make databases", 3 + 3, 2, async () =>
      databaseType.apply(
        target,
        databases.map((after) => ({ key: after.name, before: null, after })),
      ),
    );
    await count("make accounts and grants", 3 + 5, 2, async () =>
      accountType.apply(
        target,
        accounts.map((after) => ({ key: `${after.user}@${after.host}`, before: null, after })),
      ),
    );
    const present = await count("read databases", 1, 0, async () => databaseType.read(target, ids, { contents: true }));
    const states = await count("read accounts", 1, 0, async () => accountType.read(target, keys, { contents: true }));
    expect([present.size, states.size]).toEqual([500, 500]);
    expect(keys.map((key) => accountType.identity(states.get(key) as AccountState))).toEqual(
      accounts.map((state) => accountType.identity(state)),
    );
    await count("remove accounts", 3 + 5, 2, async () =>
      accountType.apply(
        target,
        keys.map((key) => ({ key, before: states.get(key) ?? null, after: null })),
      ),
    );
    await count("remove databases", 3 + 3, 2, async () =>
      databaseType.apply(
        target,
        ids.map((key) => ({ key, before: present.get(key) ?? null, after: null })),
      ),
    );
    expect((await databaseType.read(target, ids, { contents: false })).size).toBe(0);
  });
});

describe("the lock that another session has", () => {
  const made = (name: string) => ({
    key: name,
    before: null,
    after: { name, charset: "utf8mb4", collation: "utf8mb4_bin" },
  });

  /** As a worker that stopped right after it took its locks. */
  const locked = async (scope: string): Promise<Awaited<ReturnType<typeof db.login>>> => {
    const stuck = await db.login("root", "");
    await stuck.query("SELECT GET_LOCK('hostwright', 0), GET_LOCK(?, 0)", [`hostwright ${scope}`]);
    return stuck;
  };

  test("is taken from an earlier holder of the same lease's scope, whose session ends", async () => {
    await using stuck = await locked("site/s1");
    await using target = db.target();
    const started = performance.now();
    await databaseType.apply(target, [made("slocked")]);
    expect(performance.now() - started).toBeLessThan(underLoad(10_000));
    await expect(stuck.query("SELECT 1")).rejects.toMatchObject({ fatal: true });
  });

  test("is waited for while somebody of another scope has it, whose session lives on", async () => {
    await using other = await locked("site/s2");
    await using target = db.target();
    const waiting = databaseType.apply(target, [made("sother")]);
    await delay(2_500);
    expect((await other.query("SELECT RELEASE_ALL_LOCKS() AS locks"))[0]).toEqual([{ locks: 2 }]);
    await waiting;
  });
});

describe("when it cannot be done", () => {
  test("a change whose line is cut is told so at once, and does not hang", async () => {
    await using target = db.target();
    const running = (await sessionOf(target)).run([sql`DO SLEEP(30)`]);
    const ended = running.catch((error: unknown) => error);
    await delay(500);
    await db.host.sh("pkill -KILL sshd-session || pkill -KILL -f 'sshd: root@'");
    const started = performance.now();
    expect(await ended).toBeInstanceOf(Error);
    expect(performance.now() - started).toBeLessThan(underLoad(10_000));
  });

  test("a refused statement names its key, and tells neither statement nor hash", async () => {
    await using target = db.target();
    const hash = "*0123456789ABCDEF0123456789ABCDEF01234567";
    const [, account] = site("srefused");
    const desired = accountType.desired(accountType.schema.parse(account?.spec), resolve);
    const after = {
      ...desired,
      authentication:
        `${flavour === "mariadb" ? "VIA no_such_plugin USING" : "WITH no_such_plugin AS"} '${hash}'` as Sql,
    };
    const error: unknown = await accountType
      .apply(target, [{ key: "srefused@localhost", before: null, after }])
      .catch((thrown: unknown) => thrown);
    expect(error).toEqual(coded("HW_DATABASE_FAILED", { retryable: false, server: "db" }));
    expect(String(error)).toContain("srefused@localhost");
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(new RegExp(`${hash.slice(1)}|IDENTIFIED`));
  });

  test("a server of the other flavour is told apart", async () => {
    const other = flavour === "mysql" ? "mariadb" : "mysql";
    await using target = db.target({ serviceOptions: () => ({ flavour: other }) });
    await expect(databaseType.read(target, ["x"], { contents: false })).rejects.toEqual(
      coded("HW_PREREQUISITE_MISSING", { remedy: `Declare it with mysql.service({ flavour: "${flavour}" }).` }),
    );
  });
});

test("no password of any site was ever in a statement", async () => {
  expect(await db.statements()).toContain("CREATE USER 'sbulk499'@'localhost'");
  expect(await db.statements()).not.toContain(PASSWORD_MARK);
});
