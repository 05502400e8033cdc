import { describe, expect, test } from "vitest";
import { accountType } from "../src/account-type.ts";
import { databaseType } from "../src/database-type.ts";
import { MysqlOptions } from "../src/options.ts";
import { role } from "../src/role.ts";
import { passwordOf, request, serverView } from "./samples.ts";

const keys = (webHeads: readonly string[], options: unknown = {}): readonly string[] =>
  role
    .site(request("s7k2m9xq4t", webHeads), serverView(options))
    .map(({ type, spec }) =>
      type === databaseType.name
        ? `database ${databaseType.key(databaseType.schema.parse(spec))}`
        : accountType.key(accountType.schema.parse(spec)),
    );

describe("what a site gets", () => {
  test("a database and an account by its id, one account for each place that its PHP logs in from", () => {
    expect(keys(["local", "10.0.0.7", "web2.example.com"])).toEqual([
      "database s7k2m9xq4t",
      "s7k2m9xq4t@localhost",
      "s7k2m9xq4t@10.0.0.7",
      "s7k2m9xq4t@web2.example.com",
    ]);
  });

  test("an address has one form: the server compares text", () => {
    expect(keys(["FD00:0:0::5", "fd00::5", "::ffff:10.0.0.7", "10.0.0.7"])).toEqual([
      "database s7k2m9xq4t",
      "s7k2m9xq4t@fd00::5",
      "s7k2m9xq4t@10.0.0.7",
    ]);
  });

  test.each(["%", "10.0.0.%", "10.0.0.0/24", "10.0.0.0/255.255.255.0", "web_1.example.com", "", "a'b", "a b"])(
    "%j is no web head: wildcards would let others in",
    (address) => {
      expect(() => keys([address])).toThrow(expect.objectContaining({ code: "HW_INPUT_INVALID" }));
    },
  );

  test("nothing of the password is in what is declared", () => {
    const declared = role.site(request("s1"), serverView());
    expect(JSON.stringify(declared)).toContain(passwordOf("s1").id);
    expect(
      declared.map(({ type, spec }) =>
        type === databaseType.name
          ? databaseType.showSpec(databaseType.schema.parse(spec))
          : accountType.showSpec(accountType.schema.parse(spec)),
      ),
    ).toEqual([
      "database, utf8mb4, utf8mb4_unicode_ci",
      "login: mysql_native_password <db password>\ngrant: ALTER, ALTER ROUTINE, CREATE, CREATE ROUTINE, CREATE TEMPORARY TABLES, CREATE VIEW, DELETE, DROP, EXECUTE, INDEX, INSERT, LOCK TABLES, REFERENCES, SELECT, SHOW VIEW, TRIGGER, UPDATE ON `s1`.*",
    ]);
  });
});

describe("how a web head connects", () => {
  const login = { protocol: "mysql", name: "s1", user: "s1", password: passwordOf("s1") };

  test("on the same machine over the socket", () => {
    expect(role.binding(request("s1"), serverView({ socket: "/run/db.sock" }), null)).toEqual({
      ...login,
      host: "localhost",
      port: null,
      socket: "/run/db.sock",
    });
  });

  test("from elsewhere at the address that is listened on", () => {
    const view = serverView({ listen: ["10.9.0.5"], port: 3307 }, { addresses: ["db1.example.com", "10.9.0.5"] });
    expect(role.binding(request("s1"), view, "10.9.0.7")).toEqual({
      ...login,
      host: "10.9.0.5",
      port: 3307,
      socket: null,
    });
    expect(role.binding(request("s1"), serverView({ listen: ["::"] }), "10.0.0.7")).toMatchObject({ host: "10.0.0.5" });
  });

  test("from elsewhere to a server on its socket only: refused, with the remedy", () => {
    expect(() => role.binding(request("s1"), serverView(), "10.0.0.7")).toThrow(
      expect.objectContaining({
        code: "HW_PREREQUISITE_MISSING",
        server: "db1",
        remedy: expect.stringContaining('listen: ["10.0.0.5"]') as string,
      }),
    );
  });
});

describe("options", () => {
  test("have safe defaults: a socket, no address", () => {
    expect(MysqlOptions.parse({})).toEqual({
      flavour: "mariadb",
      socket: "/run/mysqld/mysqld.sock",
      port: 3306,
      listen: [],
      charset: "utf8mb4",
      collation: "utf8mb4_unicode_ci",
    });
  });

  test.each([
    { listen: ["*"] },
    { listen: ["10.0.0.5\nskip-grant-tables"] },
    { socket: "/run/../x" },
    { socket: "run/x" },
    { collation: "latin1_bin" },
    { port: 0 },
    { password: "x" },
  ])("%j is refused", (options) => {
    expect(MysqlOptions.safeParse(options).success).toBe(false);
  });
});
