import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accountType, mysqlAccount } from "../src/account-type.ts";
import { column, DatabaseHost, ensure, notRefused, PASSWORD_MARK, password, site, undo } from "./database-host.ts";
import { passwordOf } from "./samples.ts";
import { EVERYBODYS, flavour } from "../../../test/support/tested-mysql.ts";

let db: DatabaseHost;

beforeAll(async () => {
  db = await DatabaseHost.start();
});

afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
});

describe("a site's account", () => {
  test("sees and uses its own database only, also beside names that its own would match as a pattern", async () => {
    await using target = db.target();
    await ensure(target, [...site("s_a"), ...site("sxa")]);
    await db.admin("CREATE TABLE sxa.t (a INT); INSERT INTO sxa.t VALUES (1)");
    await using php = await db.login("s_a", password("s_a"));
    expect(await column(php, "SHOW DATABASES")).toEqual([...EVERYBODYS, "s_a"]);
    expect(
      await notRefused(php, [
        "USE sxa",
        "SELECT * FROM sxa.t",
        "CREATE TABLE sxa.u (a INT)",
        "DROP DATABASE sxa",
        "SELECT * FROM mysql.user",
        "CREATE DATABASE sya",
      ]),
    ).toEqual([]);
  });

  test("has what an application needs, and nothing that reaches further", async () => {
    await using target = db.target();
    await ensure(target, site("sleast"));
    // Its binary log would keep MySQL from it: a problem that is told.
    await db.admin("SET GLOBAL log_bin_trust_function_creators = ON");
    await using php = await db.login("sleast", password("sleast"), "sleast");
    for (const allowed of [
      "CREATE TABLE a (id INT PRIMARY KEY, n INT) ENGINE=InnoDB",
      "CREATE INDEX n ON a (n)",
      "ALTER TABLE a ADD m INT",
      "INSERT INTO a VALUES (1, 1, 1)",
      "UPDATE a SET n = 2",
      "CREATE TABLE b (id INT, FOREIGN KEY (id) REFERENCES a (id))",
      "CREATE VIEW v AS SELECT * FROM a",
      "SHOW CREATE VIEW v",
      "CREATE TRIGGER g BEFORE INSERT ON a FOR EACH ROW SET NEW.n = 3",
      "CREATE PROCEDURE p() SELECT 1",
      "CALL p()",
      "ALTER PROCEDURE p COMMENT 'x'",
      "CREATE TEMPORARY TABLE c (a INT)",
      "LOCK TABLES a WRITE",
      "UNLOCK TABLES",
      "DELETE FROM b",
      "TRUNCATE b",
      "DROP TABLE b",
    ]) {
      await php.query(allowed);
    }
    expect(
      await notRefused(php, [
        "CREATE USER x@localhost",
        "GRANT SELECT ON sleast.* TO sleast@'%'",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "LOAD DATA INFILE '/etc/passwd' INTO TABLE a",
        "CREATE EVENT e ON SCHEDULE EVERY 1 MINUTE DO DELETE FROM a",
        "SET GLOBAL general_log = OFF",
        "FLUSH TABLES",
        "SET PASSWORD FOR root@localhost = ''",
        "SHUTDOWN",
      ]),
    ).toEqual([]);
    expect(await column(php, "SELECT LOAD_FILE('/etc/passwd')")).toEqual([null]);
    expect(new Set(await column(php, "SELECT USER FROM information_schema.PROCESSLIST"))).toEqual(new Set(["sleast"]));
  });

  test("takes another password, ends who was logged in with the old one, and takes the old one back", async () => {
    await using target = db.target();
    await ensure(target, site("spass"));
    await using old = await db.login("spass", password("spass"));
    const renewed = site("spass").map(({ type, spec }) => ({
      type,
      spec: type === accountType.name ? { ...(spec as object), password: passwordOf("renewed") } : spec,
    }));
    const made = await ensure(target, renewed);
    expect(made.map(({ key }) => key)).toEqual(["spass@localhost"]);
    await expect(old.query("SELECT 1")).rejects.toThrow(/killed|closed/);
    await expect(db.login("spass", password("spass"))).rejects.toThrow("Access denied");
    await (await db.login("spass", password("renewed")))[Symbol.asyncDispose]();
    await undo(target, made);
    await (await db.login("spass", password("spass")))[Symbol.asyncDispose]();
  });

  test("turned read-only loses its writes at once, and gets them back", async () => {
    await using target = db.target();
    await ensure(target, site("ssealed"));
    await using writer = await db.login("ssealed", password("ssealed"), "ssealed");
    await writer.query("CREATE TABLE t (a INT)");
    const sealed = await ensure(target, [
      mysqlAccount({
        user: "ssealed",
        host: "localhost",
        password: passwordOf("ssealed"),
        flavour,
        database: "ssealed",
        privileges: ["SELECT", "LOCK TABLES", "SHOW VIEW"],
      }),
    ]);
    await expect(writer.query("INSERT INTO t VALUES (1)")).rejects.toThrow(/killed|closed/);
    await using reader = await db.login("ssealed", password("ssealed"), "ssealed");
    expect(await column(reader, "SELECT COUNT(*) FROM t")).toEqual([0]);
    await expect(reader.query("INSERT INTO t VALUES (1)")).rejects.toThrow("denied");
    await undo(target, sealed);
    await using again = await db.login("ssealed", password("ssealed"), "ssealed");
    await again.query("INSERT INTO t VALUES (1)");
  });
});

test("no password of any site was ever in a statement", async () => {
  expect(await db.statements()).toContain("CREATE USER 'sleast'@'localhost'");
  expect(await db.statements()).not.toContain(PASSWORD_MARK);
});
