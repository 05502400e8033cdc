import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AccountState } from "../src/account-state.ts";
import { accountType, mysqlAccount } from "../src/account-type.ts";
import {
  column,
  compare,
  DatabaseHost,
  ensure,
  notRefused,
  PASSWORD_MARK,
  password,
  site,
  undo,
} from "./database-host.ts";
import { passwordOf } from "./samples.ts";

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
    expect(await column(php, "SHOW DATABASES")).toEqual(["information_schema", "s_a"]);
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
        plugin: "mysql_native_password",
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

describe("drift of an account", () => {
  const drifts: readonly (readonly [string, string])[] = [
    ["a global privilege", "GRANT PROCESS, FILE ON *.* TO @a"],
    ["every database", "GRANT ALL ON *.* TO @a WITH GRANT OPTION"],
    ["a neighbour's database", "GRANT SELECT, INSERT ON other.* TO @a"],
    ["databases by a pattern", "GRANT SELECT ON `s%`.* TO @a"],
    ["the right to grant", "GRANT SELECT ON sdrift.* TO @a WITH GRANT OPTION"],
    ["a table", "GRANT SELECT ON other.t TO @a"],
    ["a column", "GRANT SELECT (a, b), INSERT (b) ON other.t TO @a"],
    ["a routine", "GRANT EXECUTE ON PROCEDURE other.p TO @a"],
    ["a role", "GRANT admins TO @a"],
    ["another account's identity", "GRANT PROXY ON b@localhost TO @a"],
    ["a lost privilege", "REVOKE DELETE, DROP ON sdrift.* FROM @a"],
    ["another password", "SET PASSWORD FOR @a = PASSWORD('other')"],
    ["another way in", "ALTER USER @a IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('x')"],
    ["no password", "ALTER USER @a IDENTIFIED VIA mysql_native_password USING ''"],
    ["a lock", "ALTER USER @a ACCOUNT LOCK"],
    ["an expired password", "ALTER USER @a PASSWORD EXPIRE"],
    ["a password that will expire", "ALTER USER @a PASSWORD EXPIRE INTERVAL 30 DAY"],
    ["a limit", "ALTER USER @a WITH MAX_USER_CONNECTIONS 2 MAX_STATEMENT_TIME 3"],
    ["TLS demanded", "ALTER USER @a REQUIRE SUBJECT '/CN=o\\'x' AND ISSUER '/CN=y'"],
  ];

  beforeAll(async () => {
    await using target = db.target();
    await ensure(target, site("sdrift"));
    await db.admin(
      "CREATE DATABASE other; CREATE TABLE other.t (a INT, b INT); CREATE PROCEDURE other.p() SELECT 1; CREATE ROLE admins; CREATE USER b@localhost",
    );
  });

  test.each(drifts)("%s: found, mended, and undone to what it was", async (_what, statement) => {
    await using target = db.target();
    await db.admin(statement.replace("@a", "sdrift@localhost"));
    const [, drifted] = await compare(target, site("sdrift"));
    expect(drifted?.satisfied).toBe(false);
    const made = await ensure(target, site("sdrift"));
    expect(made).toHaveLength(1);
    expect((await compare(target, site("sdrift"))).every(({ satisfied }) => satisfied)).toBe(true);
    await undo(target, made);
    const [, undone] = await compare(target, site("sdrift"));
    expect(accountType.identity(undone?.before as AccountState)).toEqual(
      accountType.identity(drifted?.before as AccountState),
    );
    await ensure(target, site("sdrift"));
    await (await db.login("sdrift", password("sdrift"), "sdrift"))[Symbol.asyncDispose]();
  });
});

test("no password of any site was ever in a statement", async () => {
  expect(await db.statements()).toContain("CREATE USER 'sleast'@'localhost'");
  expect(await db.statements()).not.toContain(PASSWORD_MARK);
});
