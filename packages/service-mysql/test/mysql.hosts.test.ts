import { connect } from "node:net";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { directoryType } from "../../core/src/resources/directory.ts";
import { fileType } from "../../core/src/resources/file.ts";
import { unitType } from "../../core/src/resources/unit.ts";
import { runTransfer } from "../../core/src/engine/transfer/transfer.ts";
import { accountType } from "../src/account-type.ts";
import { copy } from "../src/copy.ts";
import { databaseType } from "../src/database-type.ts";
import { facts } from "../src/facts.ts";
import { MysqlOptions } from "../src/options.ts";
import { problems } from "../src/problems.ts";
import { role } from "../src/role.ts";
import { DatabaseHost, ensure, PASSWORD_MARK, password, rows, site, undo, type AnyType } from "./database-host.ts";
import { request, serverView } from "./samples.ts";
import { flavour } from "../../../test/support/tested-mysql.ts";

const VERSION = { mariadb: /^11\.8\.\d+$/, mysql: /^9\.\d+\.\d+$/ };
const FRESH = {
  mariadb: [],
  mysql: ["the server keeps a binary log and trusts no site with it: sites can make no triggers and functions"],
};
/** MariaDB's alone. */
const PUBLIC = "; GRANT SELECT ON *.* TO PUBLIC; GRANT SELECT ON pub.* TO PUBLIC";

let db: DatabaseHost;

beforeAll(async () => {
  db = await DatabaseHost.start();
});

afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
});

describe("a site's database", () => {
  test("whose name differs in case only is another", async () => {
    await db.admin("CREATE DATABASE SCASE");
    await using target = db.target();
    const made = await ensure(target, site("scase"));
    expect(made.map(({ before }) => before)).toEqual([null, null]);
    await undo(target, made);
    expect(await db.admin("SHOW DATABASES LIKE 'SCASE'")).toBe("SCASE\n");
  });
});

/** What a site may define, and bytes that are hard to copy; one by one, as MySQL keeps a `;` with what is defined. */
const FILL = [
  "CREATE TABLE odd (id INT PRIMARY KEY, bytes LONGBLOB, words LONGTEXT)",
  "CREATE TRIGGER marked BEFORE INSERT ON odd FOR EACH ROW SET NEW.words = CONCAT(NEW.words, '!')",
  "INSERT INTO odd VALUES (1, x'00ff0a0d5c27221a', 'a\\0b\\nc''d\\\\e \u{1F600}; -- Dump completed')",
  "INSERT INTO odd VALUES (2, REPEAT(x'00c0', 2000000), NULL)",
  "CREATE VIEW ones AS SELECT id FROM odd WHERE id % 2",
  "CREATE FUNCTION twice(n INT) RETURNS INT RETURN 2 * n",
  "CREATE PROCEDURE ask() SELECT COUNT(*) AS n FROM ones",
];

describe("a site's contents", () => {
  test("go into another database by the server's own programs, and belong to whoever loads them", async () => {
    await using target = db.target();
    await ensure(target, [...site("sold"), ...site("snew")]);
    await db.admin("SET GLOBAL log_bin_trust_function_creators = ON");
    const [old, fresh] = [
      await db.login("sold", password("sold"), "sold"),
      await db.login("snew", password("snew"), "snew"),
    ];
    for (const statement of FILL) await old.query(statement);
    const view = serverView({ flavour });
    const [from, to] = (["sold", "snew"] as const).map((id) => copy(role.binding(request(id), view, null), view));
    if (from === undefined || to === undefined) throw new Error("no copy");
    expect((await db.host.exec([from.program, "--version"])).code).toBe(0);
    const end = { kind: "program", properties: [] } as const;
    const here = { server: "db", serverName: "db" };
    const moved = await runTransfer(
      {
        ...here,
        kind: "transfer",
        title: "copy",
        phase: "prepare",
        from: { ...end, ...here, argv: from.dump, login: from.login, trailer: from.trailer },
        to: { ...end, argv: to.load, login: to.login },
        bytes: null,
        idleMs: 60_000,
        timeoutMs: 60_000,
      },
      { from: target, to: target, attempt: "copy", redact: (said) => said, onBytes: () => undefined },
    );
    expect(moved.bytes).toBeGreaterThan(1000);
    await fresh.query("INSERT INTO odd VALUES (3, '', 'new')");
    await old.query("INSERT INTO odd VALUES (3, '', 'new')");
    const ask =
      "SELECT id, SHA2(bytes, 256) AS bytes, words FROM odd; SELECT * FROM ones; SELECT twice(21); CALL ask()";
    expect((await fresh.query(ask))[0]).toEqual((await old.query(ask))[0]);
    expect((await rows(fresh, "SELECT words FROM odd WHERE id = 3"))[0]).toEqual({ words: "new!" });
    for (const connection of [old, fresh]) await connection[Symbol.asyncDispose]();
  });
});

describe("facts and problems", () => {
  const read = async (): Promise<Readonly<Record<string, unknown>>> => {
    const found: Record<string, unknown> = {};
    for (const [name, probe] of Object.entries(facts(MysqlOptions.parse({ flavour })))) {
      const { exitCode, stdout, stderr } = await db.server.run({ argv: probe.argv });
      found[name] = probe.parse({ exitCode: exitCode ?? -1, stdout: stdout.toString(), stderr });
    }
    return found;
  };
  const messages = async (): Promise<readonly string[]> =>
    problems(serverView({ flavour }, { facts: await read() })).map(({ message }) => message);

  test("a fresh server is known, and has none that refuses sites", async () => {
    expect(await read()).toMatchObject({
      version: { flavour, version: expect.stringMatching(VERSION[flavour]) as string },
      exposure: { skipNetworking: false, bindAddress: "127.0.0.1" },
    });
    await db.admin("SET GLOBAL log_bin_trust_function_creators = OFF");
    expect(await messages()).toEqual(FRESH[flavour]);
  });

  test("accounts without a name and databases open to all are found, and the remedies fix them", async () => {
    await db.admin(`CREATE USER ''@'%'; GRANT ALL ON \`test\\_%\`.* TO ''@'%'${flavour === "mariadb" ? PUBLIC : ""}`);
    expect(await messages()).toEqual([
      ...FRESH[flavour],
      'anybody may log in from "%" without a name or password',
      `every account may use the databases "test\\_%"${flavour === "mariadb" ? ', "pub", "*"' : ""}`,
    ]);
    for (const { remedy } of problems(serverView({ flavour }, { facts: await read() }))) {
      const statements = /`(.*;)`\.$/.exec(remedy)?.[1];
      if (statements !== undefined) await db.admin(statements);
    }
    expect(await messages()).toEqual(FRESH[flavour]);
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
    const view = (port: number) =>
      serverView({ flavour, listen: [db.host.address], port }, { addresses: [db.host.address] });
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
    await db.logStatements();
  });
});

test("no password of any site was ever in a statement", async () => {
  expect(await db.statements()).toContain("CREATE USER 'scase'@'localhost'");
  expect(await db.statements()).not.toContain(PASSWORD_MARK);
});
