import { connect } from "node:net";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHosts, type TestHosts } from "../../../test/hosts/hosts.ts";
import { directoryType } from "../../core/src/resources/directory.ts";
import { fileType } from "../../core/src/resources/file.ts";
import { unitType } from "../../core/src/resources/unit.ts";
import { accountType, mysqlAccount } from "../src/account-type.ts";
import type { AccountState } from "../src/account-state.ts";
import { databaseType } from "../src/database-type.ts";
import { facts } from "../src/facts.ts";
import { MysqlOptions } from "../src/options.ts";
import { problems } from "../src/problems.ts";
import { grantPattern, identifier, literal, sql, type Sql } from "../src/quote.ts";
import { role } from "../src/role.ts";
import { column, compare, DatabaseHost, type AnyType, ensure, resolve, sessionOf, undo } from "./database-host.ts";
import { passwordOf, request, serverView } from "./samples.ts";

let hosts: TestHosts;
let db: DatabaseHost;
const site = (id: string) => role.site(request(id), serverView());
const password = (id: string): string => resolve(passwordOf(id));
const coded = (code: string, more: object = {}): unknown => expect.objectContaining({ code, ...more });

beforeAll(async () => {
  hosts = await startHosts([{ name: "db", services: ["mariadb"] }]);
  db = new DatabaseHost(hosts.host("db"));
  await db.admin("SET GLOBAL general_log_file = 'all-queries.log'; SET GLOBAL general_log = ON;");
});

afterAll(async () => {
  await db?.server.close();
  await hosts?.stop();
});

describe("a site's database", () => {
  test("is made, reads as wanted at once, and the site can use it", async () => {
    await using target = db.target();
    expect(await ensure(target, site("smake"))).toHaveLength(2);
    expect((await compare(target, site("smake"))).map(({ satisfied }) => satisfied)).toEqual([true, true]);
    expect(await ensure(target, site("smake"))).toEqual([]);
    await using php = await db.login("smake", password("smake"), "smake");
    await php.query("CREATE TABLE t (v VARCHAR(20)); INSERT INTO t VALUES ('gr\u00fc\u00df 😀')");
    expect(await column(php, "SELECT v FROM t")).toEqual(["gr\u00fc\u00df 😀"]);
    expect(await column(php, "SELECT @@collation_database")).toEqual(["utf8mb4_unicode_ci"]);
  });

  test("is unmade by the undo, with its account", async () => {
    await using target = db.target();
    const made = await ensure(target, site("sundo"));
    await undo(target, made);
    expect(await compare(target, site("sundo"))).toMatchObject([{ before: null }, { before: null }]);
    await expect(db.login("sundo", password("sundo"))).rejects.toThrow("Access denied");
  });

  test("that exists already is neither taken over nor dropped", async () => {
    await db.admin(
      "CREATE DATABASE sforeign; CREATE TABLE sforeign.t (a INT); CREATE USER sforeign@localhost IDENTIFIED BY 'its own'",
    );
    await using target = db.target();
    for (const { type, key, after } of await compare(target, site("sforeign"))) {
      await expect(type.apply(target, [{ key, before: null, after }])).rejects.toEqual(
        coded("HW_RESOURCE_CHANGED", { server: "db", data: { key } }),
      );
    }
    await using owner = await db.login("sforeign", "its own");
    expect(await column(owner, "SHOW DATABASES")).toEqual(["information_schema"]);
    expect(await db.admin("SHOW TABLES IN sforeign")).toBe("t\n");
  });

  test("whose name differs in case only is another", async () => {
    await db.admin("CREATE DATABASE SCASE");
    await using target = db.target();
    const made = await ensure(target, site("scase"));
    expect(made.map(({ before }) => before)).toEqual([null, null]);
    await undo(target, made);
    expect(await db.admin("SHOW DATABASES LIKE 'SCASE'")).toBe("SCASE\n");
  });

  test("that changed since it was read stays", async () => {
    await using target = db.target();
    await ensure(target, site("sstay"));
    const read = await compare(target, site("sstay"));
    await db.admin("ALTER DATABASE sstay COLLATE utf8mb4_bin; GRANT EVENT ON sstay.* TO sstay@localhost");
    for (const { type, key, before } of read)
      await expect(type.apply(target, [{ key, before, after: null }])).rejects.toEqual(coded("HW_RESOURCE_CHANGED"));
    expect(await db.admin("SHOW DATABASES LIKE 'sstay'; SELECT User FROM mysql.user WHERE User = 'sstay'")).toBe(
      "sstay\nsstay\n",
    );
  });
});

describe("a site's account", () => {
  test("sees and uses its own database only, also beside names that its own would match as a pattern", async () => {
    await using target = db.target();
    await ensure(target, [...site("s_a"), ...site("sxa")]);
    await db.admin("CREATE TABLE sxa.t (a INT); INSERT INTO sxa.t VALUES (1)");
    await using php = await db.login("s_a", password("s_a"));
    expect(await column(php, "SHOW DATABASES")).toEqual(["information_schema", "s_a"]);
    for (const forbidden of [
      "USE sxa",
      "SELECT * FROM sxa.t",
      "CREATE TABLE sxa.u (a INT)",
      "DROP DATABASE sxa",
      "SELECT * FROM mysql.user",
      "CREATE DATABASE sya",
    ]) {
      await expect(php.query(forbidden), forbidden).rejects.toThrow(/denied/);
    }
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
    for (const forbidden of [
      "CREATE USER x@localhost",
      "GRANT SELECT ON sleast.* TO sleast@'%'",
      "SELECT 1 INTO OUTFILE '/tmp/x'",
      "LOAD DATA INFILE '/etc/passwd' INTO TABLE a",
      "CREATE EVENT e ON SCHEDULE EVERY 1 MINUTE DO DELETE FROM a",
      "SET GLOBAL general_log = OFF",
      "FLUSH TABLES",
      "SET PASSWORD FOR root@localhost = ''",
      "SHUTDOWN",
    ]) {
      await expect(php.query(forbidden), forbidden).rejects.toThrow(/denied|privilege|not allowed/i);
    }
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
    await expect(old.query("SELECT 1")).rejects.toThrow();
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
    await expect(writer.query("INSERT INTO t VALUES (1)")).rejects.toThrow();
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
          expect(await session.query(sql`SELECT ${literal(value)} AS v`, "trying")).toEqual([{ v: value }]);
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
      expect(await column(php, "SHOW DATABASES")).toHaveLength(2);
      await php[Symbol.asyncDispose]();
      await session.run([sql`DROP USER hostile@localhost`]);
    }
    await session.run(names.map((name) => sql`DROP DATABASE ${identifier(name)}`));
  });
});

describe("500 databases with their accounts", () => {
  const ids = Array.from({ length: 500 }, (_, index) => `sbulk${index}`);
  const specs = ids.map((id) => role.site(request(id), serverView()));
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
    await count("make databases", 3 + 3, 1, async () =>
      databaseType.apply(
        target,
        databases.map((after) => ({ key: after.name, before: null, after })),
      ),
    );
    await count("make accounts and grants", 3 + 5, 1, async () =>
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
    await count("remove accounts", 3 + 5, 1, async () =>
      accountType.apply(
        target,
        keys.map((key) => ({ key, before: states.get(key) ?? null, after: null })),
      ),
    );
    await count("remove databases", 3 + 3, 1, async () =>
      databaseType.apply(
        target,
        ids.map((key) => ({ key, before: present.get(key) ?? null, after: null })),
      ),
    );
    expect((await databaseType.read(target, ids, { contents: false })).size).toBe(0);
  });

  test("two workers at once: one makes them, the other is told", async () => {
    await using one = db.target();
    await using two = db.target();
    const changes = ids
      .slice(0, 50)
      .map((name) => ({ key: name, before: null, after: { name, charset: "utf8mb4", collation: "utf8mb4_bin" } }));
    const results = await Promise.allSettled([databaseType.apply(one, changes), databaseType.apply(two, changes)]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(results.find((result) => result.status === "rejected")?.reason).toEqual(coded("HW_RESOURCE_CHANGED"));
    await databaseType.apply(
      one,
      changes.map(({ key, after }) => ({ key, before: after, after: null })),
    );
  });
});

describe("when it cannot be done", () => {
  const change = { key: "slost", before: null, after: { name: "slost", charset: "utf8mb4", collation: "utf8mb4_bin" } };

  test("a worker whose lease is lost, or who is cancelled, changes nothing", async () => {
    const lost = new Error("lease lost");
    await using fenced = db.target({ mutate: async () => Promise.reject(lost) });
    await expect(databaseType.apply(fenced, [change])).rejects.toBe(lost);
    await using cancelled = db.target({ signal: AbortSignal.abort() });
    await expect(databaseType.apply(cancelled, [change])).rejects.toEqual(coded("HW_CANCELLED"));
    expect(await db.admin("SHOW DATABASES LIKE 'slost'; SELECT IFNULL(IS_USED_LOCK('hostwright'), 'free')")).toBe(
      "free\n",
    );
  });

  test("a refused statement names its key, and tells neither statement nor hash", async () => {
    await using target = db.target();
    const hash = "*0123456789ABCDEF0123456789ABCDEF01234567";
    const [, account] = site("srefused");
    const desired = accountType.desired(accountType.schema.parse(account?.spec), resolve);
    const after = { ...desired, authentication: `VIA no_such_plugin USING '${hash}'` as Sql };
    const error: unknown = await accountType
      .apply(target, [{ key: "srefused@localhost", before: null, after }])
      .catch((thrown: unknown) => thrown);
    expect(error).toEqual(coded("HW_DATABASE_FAILED", { retryable: false, server: "db" }));
    expect(String(error)).toContain("srefused@localhost");
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(new RegExp(`${hash.slice(1)}|IDENTIFIED`));
  });

  test("a stopped server is unreachable, and works again when it is started", async () => {
    await using target = db.target();
    const spec = site("sstop");
    await ensure(target, spec);
    await db.host.sh("systemctl stop mariadb");
    for (const attempt of ["over the old connection", "over a new one"]) {
      await expect(compare(target, spec), attempt).rejects.toEqual(
        coded("HW_DATABASE_UNREACHABLE", { retryable: true, server: "db" }),
      );
    }
    await db.host.sh("systemctl start mariadb");
    expect((await compare(target, spec)).every(({ satisfied }) => satisfied)).toBe(true);
    await db.admin("SET GLOBAL general_log_file = 'all-queries.log'; SET GLOBAL general_log = ON;");
  });

  test("a server of the other flavour is told apart", async () => {
    await using target = db.target({ serviceOptions: () => ({ flavour: "mysql" }) });
    await expect(databaseType.read(target, ["x"], { contents: false })).rejects.toEqual(
      coded("HW_PREREQUISITE_MISSING", { mend: 'Declare it with mysql.service({ flavour: "mariadb" }).' }),
    );
  });
});

describe("facts and problems", () => {
  const read = async (): Promise<Readonly<Record<string, unknown>>> => {
    const found: Record<string, unknown> = {};
    for (const [name, probe] of Object.entries(facts(MysqlOptions.parse({})))) {
      const { exitCode, stdout, stderr } = await db.server.run({ argv: probe.argv });
      found[name] = probe.parse({ exitCode: exitCode ?? -1, stdout: stdout.toString(), stderr });
    }
    return found;
  };
  const messages = async (): Promise<readonly string[]> =>
    problems(serverView({}, { facts: await read() })).map(({ message }) => message);

  test("a fresh server is known and has none", async () => {
    expect(await read()).toMatchObject({
      version: { flavour: "mariadb", version: expect.stringMatching(/^11\.8\.\d+$/) as string },
      exposure: { skipNetworking: false, bindAddress: "127.0.0.1" },
    });
    expect(await messages()).toEqual([]);
  });

  test("accounts without a name and databases open to all are found, and the mends mend them", async () => {
    await db.admin(
      "CREATE USER ''@'%'; GRANT ALL ON `test\\_%`.* TO ''@'%'; GRANT SELECT ON *.* TO PUBLIC; GRANT SELECT ON pub.* TO PUBLIC",
    );
    expect(await messages()).toEqual([
      'anybody may log in from "%" without a name or password',
      'every account may use the databases "test\\_%", "pub", "*"',
    ]);
    for (const { mend } of problems(serverView({}, { facts: await read() }))) await db.admin(mend);
    expect(await messages()).toEqual([]);
  });
});

describe("web heads on other machines", () => {
  const types: Readonly<Record<string, AnyType>> = {
    file: fileType,
    directory: directoryType,
    unit: unitType,
    [databaseType.name]: databaseType,
    [accountType.name]: accountType,
  };
  /** How the database server sees this machine. */
  const ownAddress = async (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(db.host.port, db.host.address, () => {
        resolve(socket.localAddress ?? "");
        socket.destroy();
      }).on("error", reject);
    });
  const login = async (user: string, port: number): Promise<unknown> => {
    const connection = await createConnection({ host: db.host.address, port, user, password: password(user) });
    const [found] = await connection.query("SELECT CURRENT_USER() AS who");
    await connection.end();
    return found;
  };

  test("log in from their own address, once addresses are declared; others don't", async () => {
    await using target = db.target();
    const webHead = await ownAddress();
    const view = (port: number) => serverView({ listen: [db.host.address], port }, { addresses: [db.host.address] });
    await ensure(
      target,
      [
        ...role.server(view(3306)),
        ...role.site(request("snear", [webHead]), view(3306)),
        ...role.site(request("sfar", ["local", "10.99.99.99"]), view(3306)),
      ],
      types,
    );
    const { host, port } = role.binding(request("snear", [webHead]), view(3306), webHead);
    expect({ host, port }).toEqual({ host: db.host.address, port: 3306 });
    expect(await login("snear", 3306)).toEqual([{ who: `snear@${webHead}` }]);
    await expect(login("sfar", 3306)).rejects.toThrow("Access denied");
    expect(await ensure(target, role.server(view(3306)), types)).toEqual([]);
    await ensure(target, role.server(view(3307)), types);
    expect(await login("snear", 3307)).toEqual([{ who: `snear@${webHead}` }]);
    await expect(login("snear", 3306)).rejects.toThrow("ECONNREFUSED");
    await db.admin("SET GLOBAL general_log_file = 'all-queries.log'; SET GLOBAL general_log = ON;");
  });
});

test("no password of any site was ever in a statement", async () => {
  const log = await db.host.sh("cat /var/lib/mysql/all-queries.log");
  expect(log).toContain("CREATE USER 'sbulk499'@'localhost'");
  expect(log).not.toContain(resolve(passwordOf("")).slice(0, 12));
});
