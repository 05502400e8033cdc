import type { SiteRecord } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Attack } from "./attack.ts";
import { homeOf } from "./fleet.ts";
import type { Pair } from "./pair.ts";
import type { Subject } from "./site-suite.ts";

const TABLE = "hostwright_mark";

/** A database server as a hostile site meets it. */
interface Dialect {
  /** Where PDO finds a database. */
  dsn(database: string): string;
  /** Its own databases, which a site must not enter: what is written there is outside of all that is the site's. */
  readonly system: readonly string[];
  /** By what it refuses another's database, and a login. */
  readonly noDatabase: unknown;
  readonly noLogin: unknown;
  /** Statements that a site may not run, with their errors. */
  refused(own: string, other: string): Readonly<Record<string, unknown>>;
  /** Statements of which each tells what of other sites can be seen, and what that is. */
  seen(own: string): Readonly<Record<string, readonly string[]>>;
}

/** By one of these codes: which it is differs between releases of a server. */
const denied = (...codes: readonly (number | string)[]): unknown =>
  expect.stringMatching(new RegExp(String.raw`\b(?:${codes.join("|")})\b`));

const DIALECTS: Readonly<Record<Pair["db"], Dialect>> = {
  mysql: {
    dsn: (database) => `mysql:unix_socket=/run/mysqld/mysqld.sock;dbname=${database}`,
    system: ["mysql"],
    noDatabase: denied(1044),
    noLogin: denied(1045),
    refused: (own, other) => ({
      [`select * from \`${other}\`.${TABLE}`]: denied(1142),
      "select user from mysql.global_priv": denied(1142),
      "create user x@localhost": denied(1227),
      "create database x": denied(1044),
      "select 1 into outfile '/tmp/x'": denied(1045, 1227),
      "set global general_log = 1": denied(1227),
      "install soname 'x'": denied(1142),
      [`grant all on *.* to '${own}'@localhost`]: denied(1045),
      [`grant all on \`${own}\`.* to '${other}'@localhost`]: denied(1044),
    }),
    seen: (own) => ({
      "show databases": ["information_schema", own],
      "select distinct table_schema from information_schema.tables where table_schema not in ('information_schema', 'performance_schema')":
        [own],
      "select distinct user from information_schema.processlist": [own],
      "select load_file('/etc/passwd') is null": ["1"],
    }),
  },
  postgres: {
    dsn: (database) => `pgsql:host=127.0.0.1;port=5432;dbname=${database}`,
    // The first two are everybody's, by PostgreSQL's own defaults.
    system: ["postgres", "template1", "template0"],
    noDatabase: expect.stringContaining("pg_hba.conf rejects connection"),
    noLogin: expect.stringContaining("password authentication failed"),
    refused: (own, other) => ({
      [`select * from "${other}".public.${TABLE}`]: denied("0A000"),
      "select rolpassword from pg_authid": denied(42_501),
      "create role x": denied(42_501),
      "create database x": denied(42_501),
      "copy (select 1) to '/tmp/x'": denied(42_501),
      "copy (select 1) to program 'id'": denied(42_501),
      "select pg_read_file('/etc/passwd')": denied(42_501),
      "select lo_import('/etc/passwd')": denied(42_501),
      "alter system set log_statement = 'all'": denied(42_501),
      "create extension dblink": denied(42_501),
      "set role postgres": denied(42_501),
      [`alter role "${own}" superuser`]: denied(42_501),
      [`alter role "${other}" password 'x'`]: denied(42_501),
      [`grant "${other}" to "${own}"`]: denied(42_501),
    }),
    seen: (own) => ({
      "select datname from pg_database where datallowconn and has_database_privilege(datname, 'connect') and datname not in ('postgres', 'template1')":
        [own],
      "select distinct usename from pg_stat_activity where query not in ('<insufficient privilege>', '')": [own],
      "select table_catalog from information_schema.tables group by 1": [own],
    }),
  },
};

/** What a site's PHP reaches at the database server with its own login. */
export function databaseIsolation(subject: () => Subject, attack: () => Attack): void {
  const dialect = (): Dialect => DIALECTS[subject().fleet.pair.db];

  /** What comes of it with the site's own password: the first column, true where there is none, or the error. */
  async function sql(statement: string, { user = "", database = "" } = {}): Promise<unknown> {
    const { own } = attack();
    return attack().php(asking(own, statement, user === "" ? own.id : user, database === "" ? own.id : database));
  }

  function asking(site: SiteRecord, statement: string, user: string, database: string): string {
    const settings = `${homeOf(site)}/conf/${subject().app.settings}`;
    return `(function () {
      preg_match("/(?:DB_PASSWORD'|wgDBpassword|'password')[^'\\n]*'([^']+)'/", file_get_contents('${settings}'), $found);
      try {
        $session = new PDO('${dialect().dsn(database)}', '${user}', $found[1], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
        $rows = $session->query(base64_decode('${Buffer.from(statement).toString("base64")}'));
        return $rows->columnCount() > 0 ? array_map('strval', $rows->fetchAll(PDO::FETCH_COLUMN)) : true;
      } catch (PDOException $error) {
        return $error->getMessage();
      }
    })()`;
  }

  describe("the database", () => {
    beforeAll(async () => {
      const { own, other } = attack();
      const make = `create table ${TABLE} (word varchar(20))`;
      expect([await sql(make), await attack().neighbourPhp(asking(other, make, other.id, other.id))]).toEqual([
        true,
        true,
      ]);
      expect(await sql(`insert into ${TABLE} values ('${own.id}')`)).toBe(true);
    });

    afterAll(async () => {
      const { other } = attack();
      await attack().neighbourPhp(asking(other, `drop table ${TABLE}`, other.id, other.id));
    });

    test("it logs in to its own, not to its neighbour's nor to the server's", async () => {
      const { own, other } = attack();
      expect(await sql(`select word from ${TABLE}`)).toEqual([own.id]);
      for (const database of [other.id, ...dialect().system])
        expect([database, await sql("select 1", { database })]).toEqual([database, dialect().noDatabase]);
    });

    test("it reads tables of its own only, and sees nothing of another's", async () => {
      const { own } = attack();
      for (const [statement, rows] of Object.entries(dialect().seen(own.id)))
        expect([statement, await sql(statement)]).toEqual([statement, rows]);
    });

    test("it reaches no file, account or other server by it", async () => {
      const { own, other } = attack();
      for (const [statement, error] of Object.entries(dialect().refused(own.id, other.id)))
        expect([statement, await sql(statement)]).toEqual([statement, error]);
    });

    test("its password opens no account of its neighbour or of the administrator", async () => {
      const { own, other } = attack();
      expect(await sql("select 1", { user: own.id })).toEqual(["1"]);
      for (const user of [other.id, subject().fleet.pair.db === "mysql" ? "root" : "postgres"])
        expect([user, await sql("select 1", { user, database: user === other.id ? user : own.id })]).toEqual([
          user,
          user === "root" ? denied(1698) : dialect().noLogin,
        ]);
    });
  });
}
