import type { ServerView } from "@hostwright/core/plugin";
import { expect, test } from "vitest";
import { facts } from "../src/facts.ts";
import { moving } from "../src/moving.ts";
import { MysqlOptions } from "../src/options.ts";
import { serverView } from "./samples.ts";

/** A server whose daemon says that of itself. */
function running(said: string): ServerView {
  const probe = facts(MysqlOptions.parse({}))["version"];
  return serverView({}, { facts: { version: probe?.parse({ exitCode: 0, stdout: said, stderr: "" }) } });
}

const TRIXIE = running("mariadbd  Ver 11.8.6-MariaDB-0+deb13u1 from Debian for debian-linux-gnu on x86_64 (x)");
const EARLIER = running("mariadbd  Ver 11.8.3-MariaDB-0+deb13u1 from Debian for debian-linux-gnu on x86_64 (x)");
const BOOKWORM = running("mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64 (Debian 12)");
const MYSQL_8 = running("/usr/sbin/mysqld  Ver 8.0.43-0ubuntu0.24.04.1 for Linux on x86_64 ((Ubuntu))");
const MYSQL_84 = running("/usr/sbin/mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)");

test("an older release does not take a database; a newer one does, and any version of the same", () => {
  expect(moving.problems(TRIXIE, BOOKWORM)).toEqual([
    {
      message: "MariaDB 10.11.14 is older than the 11.8.6 of db1",
      remedy: "Upgrade it to MariaDB 11.8, or choose another server.",
    },
  ]);
  expect(moving.problems(MYSQL_84, MYSQL_8)).toMatchObject([{ message: expect.stringContaining("8.0.43 is older") }]);
  for (const [from, to] of [
    [BOOKWORM, TRIXIE],
    [TRIXIE, EARLIER],
    [EARLIER, TRIXIE],
    [MYSQL_8, MYSQL_84],
  ] as const)
    expect(moving.problems(from, to)).toEqual([]);
});

test.each([
  [TRIXIE, MYSQL_84, "MySQL does not read what MariaDB on db1 writes", "Choose a server with MariaDB."],
  [MYSQL_8, TRIXIE, "MariaDB does not read what MySQL on db1 writes", "Choose a server with MySQL."],
])("the other flavour does not take it, however new", (from, to, message, remedy) => {
  expect(moving.problems(from, to)).toEqual([{ message, remedy }]);
});

test("names are quoted, and each flavour is asked in its own words", () => {
  const [mariadb, mysql] = [serverView(), serverView({ flavour: "mysql" })];
  const asked = (argv: readonly string[]): string => argv.at(-1) ?? "";
  expect(asked(moving.contents("a'b", mariadb))).toMatch(/TABLE_SCHEMA = 'a(\\'|'')b'/);
  expect(asked(moving.contents("s1", mariadb))).not.toContain("stats_expiry");
  expect(asked(moving.contents("s1", mysql))).toContain("stats_expiry = 0; SELECT");
  expect(asked(moving.offers(mariadb))).toContain("FULL_COLLATION_NAME");
  expect(asked(moving.offers(mysql))).not.toContain("FULL_COLLATION_NAME");
});
