import type { Declared, Resolve, Target } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "../../../test/hosts/hosts.ts";
import { resourceHarness } from "../../core/test/resource-harness.ts";
import { secret } from "../../core/src/model/secret.ts";
import { SshServer } from "../../core/src/servers/ssh-server.ts";
import { accountType } from "../src/account-type.ts";
import { databaseType } from "../src/database-type.ts";
import { PostgresOptions } from "../src/options.ts";
import { role } from "../src/role.ts";

let hosts: TestHosts;
let host: TestHost;
let server: SshServer;
let target: Target & AsyncDisposable;

const resolve: Resolve = ({ id }) => `pass-word-of-${id}`;

function openTarget(): Target & AsyncDisposable {
  const open = new Map<string, Promise<unknown>>();
  const closers: (() => Promise<void>)[] = [];
  return {
    server,
    signal: new AbortController().signal,
    scope: "site/s1",
    resolve,
    serviceOptions: () => ({}),
    connection: async <T>(key: string, make: () => Promise<T>, close: (connection: T) => Promise<void>): Promise<T> => {
      const connection = (open.get(key) as Promise<T> | undefined) ?? make();
      if (!open.has(key)) closers.push(async () => close(await connection));
      open.set(key, connection);
      return connection;
    },
    mutate: async (script) => server.script(script),
    [Symbol.asyncDispose]: async () => void (await Promise.all(closers.map(async (close) => close()))),
  };
}

beforeAll(async () => {
  hosts = await startHosts([{ name: "db", services: ["postgresql"] }]);
  host = hosts.host("db");
  const { address, port, user, hostKey, privateKey } = host;
  server = new SshServer({
    name: "db",
    host: address,
    port,
    user,
    hostKeys: [hostKey],
    privateKey: secret(privateKey),
  });
  target = openTarget();
});

afterAll(async () => {
  await target[Symbol.asyncDispose]();
  await server.close();
  await hosts.stop();
});

const site = (id: string): readonly Declared[] =>
  role.site(
    { siteId: id, domain: `${id}.test`, password: { ref: "secret", id, label: "db password" }, webHeads: ["local"] },
    { service: { options: PostgresOptions.parse({}) } } as Parameters<typeof role.site>[1],
  );

async function login(
  user: string,
  database: string,
  statement: string,
  password = `pass-word-of-${user}`,
): Promise<string> {
  const { stdout, stderr } = await host.exec(
    ["psql", "-h", "127.0.0.1", "-U", user, "-d", database, "-X", "-At", "-c", statement],
    { env: { PGPASSWORD: password } },
  );
  return (stdout + stderr).trim();
}

describe("a site's database", () => {
  const harness = resourceHarness(() => target, [accountType, databaseType]);

  test("is reached with its own password, by its own role only, and a second apply is empty", async () => {
    for (const id of ["sone", "stwo"]) for (const one of site(id)) await harness.ensure(one);
    expect(await login("sone", "sone", "CREATE TABLE t (x int); INSERT INTO t VALUES (7); SELECT x FROM t")).toContain(
      "7",
    );
    expect(await login("sone", "sone", "CREATE EXTENSION pg_trgm")).toBe("CREATE EXTENSION");
    expect(await login("sone", "sone", "SELECT 1", "wrong")).toMatch(/password authentication failed/);
    expect(await login("sone", "stwo", "SELECT 1")).toMatch(/permission denied for database/);
    expect(await login("sone", "postgres", "CREATE TABLE x (a int)")).toMatch(/permission denied/);
    expect(await login("sone", "sone", "CREATE ROLE bad")).toMatch(/permission denied/);
    expect(await login("sone", "sone", "COPY (SELECT 1) TO PROGRAM 'id'")).toMatch(/permission denied/);
    for (const one of site("sone")) expect(await harness.changesFor([one])).toEqual([]);
  });

  test("and its role are as they were after an undo, and gone after a delete", async () => {
    const [account, database] = site("sthree");
    if (account === undefined || database === undefined) throw new Error("no declarations");
    const before = await host.sh("runuser -u postgres -- pg_dumpall -g | grep -v 'connection\\|^--\\|restrict'");
    const made = [await harness.ensure(account), await harness.ensure(database)];
    await harness.undo(database, made[1] ?? []);
    await harness.undo(account, made[0] ?? []);
    expect(await host.sh("runuser -u postgres -- pg_dumpall -g | grep -v 'connection\\|^--\\|restrict'")).toBe(before);
    expect(await host.sh("runuser -u postgres -- psql -Atc 'SELECT datname FROM pg_database' postgres")).not.toContain(
      "sthree",
    );
  });

  test("that somebody changed is set right, and an undo brings the change back", async () => {
    await host.sh(
      `runuser -u postgres -- psql -c 'ALTER ROLE sone CREATEDB; GRANT pg_read_all_data TO sone; GRANT CONNECT ON DATABASE sone TO PUBLIC' postgres`,
    );
    const [account, database] = site("sone");
    if (account === undefined || database === undefined) throw new Error("no declarations");
    const drifted = await databaseType.read(target, ["sone"], { contents: true });
    const changed = [await harness.ensure(account), await harness.ensure(database)];
    expect(changed.map((list) => list.length)).toEqual([1, 1]);
    await harness.undo(database, changed[1] ?? []);
    await harness.undo(account, changed[0] ?? []);
    expect(await databaseType.read(target, ["sone"], { contents: true })).toEqual(drifted);
    expect((await accountType.read(target, ["sone"], { contents: true })).get("sone")).toMatchObject({
      attributes: ["CREATEDB", "INHERIT", "LOGIN"],
      memberOf: ["pg_read_all_data"],
    });
  });
});
