import { connect } from "node:net";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { directoryType } from "../../core/src/resources/directory.ts";
import { fileType } from "../../core/src/resources/file.ts";
import { unitType } from "../../core/src/resources/unit.ts";
import { accountType } from "../src/account-type.ts";
import { databaseType } from "../src/database-type.ts";
import { facts } from "../src/facts.ts";
import { MysqlOptions } from "../src/options.ts";
import { problems } from "../src/problems.ts";
import { role } from "../src/role.ts";
import { DatabaseHost, ensure, PASSWORD_MARK, password, site, undo, type AnyType } from "./database-host.ts";
import { request, serverView } from "./samples.ts";

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
    await db.logStatements();
  });
});

test("no password of any site was ever in a statement", async () => {
  expect(await db.statements()).toContain("CREATE USER 'scase'@'localhost'");
  expect(await db.statements()).not.toContain(PASSWORD_MARK);
});
