import type { FileSpec } from "@hostwright/core/plugin";
import { describe, expect, test } from "vitest";
import { facts, parseExposure, parseVersion, type Exposure } from "../src/facts.ts";
import { MysqlOptions } from "../src/options.ts";
import { problems } from "../src/problems.ts";
import { serverResources } from "../src/server.ts";
import { serverView } from "./samples.ts";

const version = { flavour: "mariadb", version: "11.8.6" };
const safe: Exposure = {
  skipNetworking: false,
  bindAddress: "127.0.0.1",
  skipNameResolve: false,
  anonymous: [],
  openDatabases: [],
  noTriggers: false,
};
const messages = (options: unknown, found: Record<string, unknown>, peers: readonly string[] = []): readonly string[] =>
  problems(serverView(options, { facts: found, peers })).map(({ message }) => message);

describe("resources of the server", () => {
  test("without addresses: the unit runs, the configuration stays the distribution's", () => {
    expect(serverResources(serverView()).map(({ type }) => type)).toEqual(["unit"]);
  });

  test("with addresses: a file that binds them, and a drop-in that changes with it", () => {
    const declared = serverResources(serverView({ listen: ["10.0.0.5", "fd00::5"], port: 3307 }));
    const specs = declared.map(({ spec }) => spec as Partial<FileSpec>);
    expect(specs.map(({ path }) => path)).toEqual([
      "/etc/mysql/mariadb.conf.d/90-hostwright.cnf",
      "/etc/systemd/system/mariadb.service.d",
      "/etc/systemd/system/mariadb.service.d/hostwright.conf",
      undefined,
    ]);
    expect(specs[0]?.content).toBe(
      "# Managed by Hostwright.\n[mysqld]\nskip-networking = 0\nbind-address = 10.0.0.5,fd00::5\nport = 3307\n",
    );
  });

  test("MySQL has its own unit, and a file that is read after its own mysqld.cnf", () => {
    const specs = serverResources(serverView({ flavour: "mysql", listen: ["10.0.0.5"] })).map(
      ({ spec }) => spec as Partial<FileSpec>,
    );
    expect(specs.map(({ path }) => path)).toContain("/etc/mysql/mysql.conf.d/zz-hostwright.cnf");
  });

  test("another configuration makes another drop-in", () => {
    const dropIn = (address: string): unknown => serverResources(serverView({ listen: [address] }))[2];
    expect(dropIn("10.0.0.6")).not.toEqual(dropIn("10.0.0.5"));
    expect(dropIn("10.0.0.5")).toEqual(dropIn("10.0.0.5"));
    expect(dropIn("10.0.0.5")).toMatchObject({
      spec: {
        path: expect.stringContaining("hostwright.conf") as string,
        content: expect.stringContaining("After=") as string,
      },
    });
  });
});

describe("facts", () => {
  test.each([
    [
      "mariadbd  Ver 11.8.6-MariaDB-0+deb13u1 from Debian for debian-linux-gnu on x86_64 (x)",
      { flavour: "mariadb", version: "11.8.6" },
    ],
    [
      "/usr/sbin/mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)",
      { flavour: "mysql", version: "8.4.3" },
    ],
    ["sh: mariadbd: not found", null],
  ])("%s", (output, expected) => {
    expect(parseVersion(output)).toEqual(expected);
  });

  test("a server that does not answer has none", () => {
    const probes = facts(MysqlOptions.parse({}));
    expect(probes["exposure"]?.parse({ exitCode: 1, stdout: "ERROR 2002", stderr: "" })).toBeNull();
    expect(probes["version"]?.parse({ exitCode: 127, stdout: "", stderr: "" })).toBeNull();
  });

  test("exposure is read from the client's lines", () => {
    expect(
      parseExposure(
        "skip_networking\t1\nbind_address\t*\nskip_name_resolve\t0\nno_triggers\t1\nanonymous\t%\nanonymous\tdb1\nopen\ttest\\\\_%\n",
      ),
    ).toEqual({
      skipNetworking: true,
      bindAddress: "*",
      skipNameResolve: false,
      anonymous: ["%", "db1"],
      openDatabases: ["test\\_%"],
      noTriggers: true,
    });
  });
});

describe("problems", () => {
  test("none on a safe server", () => {
    expect(messages({}, { version, exposure: safe })).toEqual([]);
  });

  test("not installed, not running, too old, of the other flavour", () => {
    expect(messages({}, {})).toEqual(["MariaDB is not installed"]);
    expect(messages({}, { version })).toEqual(["MariaDB does not answer root on /run/mysqld/mysqld.sock"]);
    expect(messages({}, { version: { ...version, version: "10.5.29" }, exposure: safe })).toEqual([
      "MariaDB 10.5.29 is older than 10.11",
    ]);
    expect(messages({ flavour: "mysql" }, { version, exposure: safe })).toEqual([
      "MariaDB is installed, the service is declared as MySQL",
    ]);
  });

  test("what keeps web heads out", () => {
    expect(messages({ listen: ["10.0.0.5"] }, { version, exposure: { ...safe, skipNetworking: true } })).toEqual([
      expect.stringContaining("skip-networking is on"),
    ]);
    expect(messages({}, { version, exposure: { ...safe, skipNetworking: true } })).toEqual([]);
    expect(
      messages({}, { version, exposure: { ...safe, skipNameResolve: true } }, ["10.0.0.7", "web2.example.com"]),
    ).toEqual([expect.stringContaining("(web2.example.com)")]);
  });

  test("a port open to others that nobody declared", () => {
    const exposure = { ...safe, bindAddress: "0.0.0.0" };
    expect(messages({}, { version, exposure })).toEqual([
      "it listens on 0.0.0.0, though no address is declared for it",
    ]);
    expect(messages({ listen: ["10.0.0.5"] }, { version, exposure })).toEqual([]);
    expect(messages({}, { version, exposure: { ...exposure, skipNetworking: true } })).toEqual([]);
  });

  test("what sites cannot make refuses none", () => {
    expect(problems(serverView({}, { facts: { version, exposure: { ...safe, noTriggers: true } } }))).toEqual([
      expect.objectContaining({ message: expect.stringContaining("no triggers") as string, tolerable: true }),
    ]);
  });

  test("what lets everybody in, each with its remedy", () => {
    const found = problems(
      serverView(
        {},
        { facts: { version, exposure: { ...safe, anonymous: ["%"], openDatabases: ["test", "test\\_%"] } } },
      ),
    );
    expect(found).toEqual([
      {
        message: 'anybody may log in from "%" without a name or password',
        remedy: "Remove that account: `DROP USER ''@'%';`.",
      },
      {
        message: 'every account may use the databases "test", "test\\_%"',
        remedy: expect.stringContaining("DELETE FROM mysql.db") as string,
      },
    ]);
  });
});
