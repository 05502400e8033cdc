import { sql, sqlKeyword, type Sql } from "@hostwright/core/plugin";
import { describe, expect, test } from "vitest";
import { accountName, accountsQuery, accountStates } from "../src/account-query.ts";
import { accountStatements } from "../src/account-statements.ts";
import { accountIdentity, plainConditions, type AccountState } from "../src/account-state.ts";
import { accountType, mysqlAccount } from "../src/account-type.ts";
import type { Flavour } from "../src/flavour.ts";
import { authenticationOf } from "../src/password.ts";
import { passwordOf } from "./samples.ts";

const KEY = "s_1@10.0.0.7";
const on = sql`${"`s\\_1`.*" as Sql}`;
const login = authenticationOf("mariadb", "hunter2", "s_1", "10.0.0.7");
const grants = (...privileges: readonly string[]): AccountState["grants"] =>
  privileges.map((privilege) => ({ privilege: sqlKeyword(privilege), on }));
const state = (...privileges: readonly string[]): AccountState => ({
  user: "s_1",
  host: "10.0.0.7",
  authentication: login,
  second: sql``,
  conditions: plainConditions("mariadb"),
  expired: false,
  grants: grants(...privileges),
});
const change = (before: AccountState | null, after: AccountState | null): readonly string[] =>
  accountStatements({ flavour: "mariadb", resolvesNames: false }, { key: KEY, before, after });

const PRIV = {
  access: 0,
  version_id: 110806,
  plugin: "mysql_native_password",
  authentication_string: "*58815970BE77B3720276F63DB198B1FA42E5CC02",
  ssl_type: 0,
  ssl_cipher: "",
  x509_issuer: "",
  x509_subject: "",
  max_questions: 0,
  account_locked: false,
  password_last_changed: 1795259132,
  password_lifetime: 0,
};
const row = (kind: string, what: unknown, place: string = "", grantable: string | null = null): unknown => ({
  kind,
  grantee: "'s_1'@'10.0.0.7'",
  what: typeof what === "string" ? what : JSON.stringify(what),
  place,
  grantable,
});
const read = (flavour: Flavour, ...rows: readonly unknown[]): AccountState | undefined =>
  accountStates(flavour, [KEY], rows).get(KEY);

describe("changes become statements", () => {
  const options =
    "REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 0 MAX_UPDATES_PER_HOUR 0 MAX_CONNECTIONS_PER_HOUR 0 MAX_USER_CONNECTIONS 0 MAX_STATEMENT_TIME 0 PASSWORD EXPIRE NEVER ACCOUNT UNLOCK";

  test("an account is made with its hash, never over one that exists, and its database's wildcards escaped", () => {
    expect(change(null, state("SELECT", "INSERT"))).toEqual([
      `CREATE USER 's_1'@'10.0.0.7' IDENTIFIED ${login} ${options}`,
      "GRANT INSERT, SELECT ON `s\\_1`.* TO 's_1'@'10.0.0.7'",
    ]);
  });

  test("fewer rights: only the surplus is revoked, and who is logged in is sent away", () => {
    expect(change(state("SELECT", "INSERT"), state("SELECT"))).toEqual([
      "REVOKE INSERT ON `s\\_1`.* FROM 's_1'@'10.0.0.7'",
      "KILL CONNECTION USER 's_1'@'10.0.0.7'",
    ]);
  });

  test("more rights disturb nobody", () => {
    expect(change(state("SELECT"), state("SELECT", "INSERT"))).toEqual([
      "GRANT INSERT ON `s\\_1`.* TO 's_1'@'10.0.0.7'",
    ]);
  });

  test("another password changes the login alone", () => {
    const other = authenticationOf("mariadb", "hunter3", "s_1", "10.0.0.7");
    expect(change(state("SELECT"), { ...state("SELECT"), authentication: other })).toEqual([
      `ALTER USER 's_1'@'10.0.0.7' IDENTIFIED ${other} ${options}`,
      "KILL CONNECTION USER 's_1'@'10.0.0.7'",
    ]);
  });

  test("a removed account is dropped, and its sessions ended", () => {
    expect(change(state("SELECT"), null)).toEqual([
      "DROP USER 's_1'@'10.0.0.7'",
      "KILL CONNECTION USER 's_1'@'10.0.0.7'",
    ]);
  });

  test("where the server knows addresses by name, sessions are found by the user alone", () => {
    const drop = { key: KEY, before: state("SELECT"), after: null };
    expect(accountStatements({ flavour: "mariadb", resolvesNames: true }, drop)[1]).toBe(
      "KILL CONNECTION USER 's_1'@'%'",
    );
    const local = { key: "s_1@localhost", before: { ...state("SELECT"), host: "localhost" }, after: null };
    expect(accountStatements({ flavour: "mariadb", resolvesNames: true }, local)[1]).toBe(
      "KILL CONNECTION USER 's_1'@'localhost'",
    );
  });

  test("MySQL ends a session by its number: those of the account are asked for", () => {
    const drop = { key: KEY, before: state("SELECT"), after: null };
    const ended = (resolvesNames: boolean): unknown =>
      accountStatements({ flavour: "mysql", resolvesNames }, drop)[1]?.split("WHERE ")[1];
    expect(ended(false)).toBe("USER = 's_1' AND CONCAT(HOST, ':') LIKE '10.0.0.7:%'");
    expect(ended(true)).toBe("USER = 's_1' AND CONCAT(HOST, ':') LIKE '%:%'");
  });

  test("the right to grant is revoked by itself: with every other it means everything to MySQL", () => {
    const grant = (privilege: string): AccountState["grants"][number] => ({
      privilege: sqlKeyword(privilege),
      on: sql`*.*`,
    });
    const before = { ...state(), grants: [grant("SELECT"), grant("GRANT OPTION"), grant("FILE")] };
    expect(change(before, state()).slice(0, 2)).toEqual([
      "REVOKE FILE, SELECT ON *.* FROM 's_1'@'10.0.0.7'",
      "REVOKE GRANT OPTION ON *.* FROM 's_1'@'10.0.0.7'",
    ]);
  });

  test("a second password is set before the first, and discarded by itself", () => {
    const two = { ...state(), second: sql`WITH x AS ${"'old'" as Sql}` };
    expect(change(state(), two).slice(1, 3)).toEqual([
      "ALTER USER 's_1'@'10.0.0.7' IDENTIFIED WITH x AS 'old'",
      `ALTER USER 's_1'@'10.0.0.7' IDENTIFIED ${login} RETAIN CURRENT PASSWORD`,
    ]);
    expect(change(two, state())[1]).toBe("ALTER USER 's_1'@'10.0.0.7' DISCARD OLD PASSWORD");
  });

  test("nothing changed, nothing sent", () => {
    expect(change(state("SELECT", "INSERT"), state("INSERT", "SELECT"))).toEqual([]);
  });
});

describe("rows become states", () => {
  test("an account as we make them reads as what was asked for", () => {
    const rows = [row("account", PRIV), row("grant", "USAGE", "*.*", "NO"), row("grant", "SELECT", "`s\\_1`.*", "NO")];
    const present = read("mariadb", ...rows);
    expect(present && accountIdentity(present)).toEqual(
      accountIdentity({
        ...state("SELECT"),
        authentication: sql`VIA mysql_native_password USING ${"'*58815970BE77B3720276F63DB198B1FA42E5CC02'" as Sql}`,
      }),
    );
  });

  test("the hash is the same whoever computes it", () => {
    expect(
      read("mariadb", row("account", { ...PRIV, authentication_string: /\*[0-9A-F]{40}/.exec(login)?.[0] }))
        ?.authentication,
    ).toBe(login);
  });

  test.each([
    ["PROCESS", "*.*", "NO"],
    ["USAGE", "*.*", "YES"],
    ["SELECT", "`s_1`.*", "NO"],
    ["SELECT", "`%`.*", "NO"],
    ["EVENT", "`s\\_1`.*", "NO"],
    ["SELECT", "`s\\_1`.*", "YES"],
    ["SELECT", "`other`.`t`", "NO"],
    ["SELECT (`a`)", "`other`.`t`", "NO"],
    ["Execute,GRANT OPTION", "PROCEDURE `other`.`p`", null],
    ["PROXY", "'root'@'localhost'", null],
    ["`admin`", "", null],
  ] as const)("%s on %s is drift", (what, place, grantable) => {
    const plain = [row("account", PRIV), row("grant", "SELECT", "`s\\_1`.*", "NO")];
    const [before, after] = [
      read("mariadb", ...plain),
      read("mariadb", ...plain, row("grant", what, place, grantable)),
    ];
    expect(before && after && accountIdentity(after)).not.toEqual(before && accountIdentity(before));
  });

  test.each([
    { account_locked: true },
    { password_last_changed: 0 },
    { password_lifetime: -1 },
    { ssl_type: 1 },
    { max_user_connections: 1 },
    { auth_or: [{ plugin: "unix_socket" }, {}] },
    { plugin: "ed25519" },
  ])("%j is drift", (deviation) => {
    const [before, after] = [
      read("mariadb", row("account", PRIV)),
      read("mariadb", row("account", { ...PRIV, ...deviation })),
    ];
    expect(before && after && accountIdentity(after)).not.toEqual(before && accountIdentity(before));
  });

  test("a login that was another and is ours again is no drift", () => {
    expect(read("mariadb", row("account", { ...PRIV, auth_or: [{}] }))).toEqual(read("mariadb", row("account", PRIV)));
  });

  test("another account's rows, or one that differs in case, are not ours", () => {
    const other = { ...(row("account", PRIV) as object), grantee: "'S_1'@'10.0.0.7'" };
    expect(read("mariadb", other)).toBeUndefined();
  });

  test("a MySQL account, its hash with any bytes", () => {
    const stored = {
      plugin: "caching_sha2_password",
      authentication_string: "$A$005$\u0001'\\n\u007fabc",
      account_locked: 0,
      password_expired: 0,
      password_lifetime: null,
      ssl_type: "",
    };
    const present = read("mysql", row("account", stored), row("grant", "'admin'@'%'"));
    expect(present?.authentication).toBe("WITH caching_sha2_password AS '$A$005$\u0001\\'\\\\n\u007fabc'");
    expect(present?.second).toBe("");
    expect(present?.conditions).toMatch(
      /^REQUIRE NONE WITH (MAX_\w+ 0 ){4}PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL DEFAULT PASSWORD REQUIRE CURRENT DEFAULT FAILED_LOGIN_ATTEMPTS 0 PASSWORD_LOCK_TIME 0$/,
    );
    expect(present?.grants).toEqual([{ privilege: "'admin'@'%'", on: "" }]);
  });
});

test.each([
  ["WITH y AS 'new' / WITH y AS '2nd'", { second: "2nd" }],
  ["PASSWORD HISTORY 5", { reuse_history: 5 }],
  ["REUSE INTERVAL 0 DAY", { reuse_days: 0 }],
  ["REQUIRE CURRENT FAILED", { require_current: "Y" }],
  ["REQUIRE CURRENT OPTIONAL", { require_current: "N" }],
  ["ATTEMPTS 3 PASSWORD_LOCK_TIME UNBOUNDED", { wrong_logins: 3, locked_days: -1 }],
  ["WITH y AS '' /", { authentication_string: "" }],
])("MySQL's own: %s", (told, kept) => {
  const found = read("mysql", row("account", { plugin: "y", authentication_string: "new", ...kept }));
  expect(`${found?.authentication} / ${found?.second} / ${found?.conditions}`).toContain(told);
});

describe("the query", () => {
  test("is one statement for any number of accounts", () => {
    const names = Array.from({ length: 500 }, (_, index) => ({ user: `s${index}`, host: "localhost" }));
    for (const flavour of ["mariadb", "mysql"] as const) expect(accountsQuery(flavour, names)).not.toContain(";");
  });

  test("a key is split at its last @", () => {
    expect(accountName("s1@fd00::5")).toEqual({ user: "s1", host: "fd00::5" });
  });
});

describe("what a person sees of an account", () => {
  test("never its hash", () => {
    const plain = state("SELECT");
    expect(accountType.showState(plain)).toBe("login: mysql_native_password USING [hash]\ngrant: SELECT ON `s\\_1`.*");
    const locked = { ...plain, conditions: sql`${plain.conditions} ACCOUNT LOCK`, expired: true };
    expect(accountType.showState(locked)).toMatch(/\[hash\], REQUIRE NONE .* ACCOUNT LOCK, password expired\n/);
  });

  test.each([
    { host: "%" },
    { host: "10.0.0.%" },
    { user: "root'" },
    { database: "mysql.user" },
    { privileges: ["SUPER"] },
    { privileges: ["EVENT"] },
  ])("%j is refused", (wrong) => {
    const spec = mysqlAccount({
      user: "s1",
      host: "localhost",
      password: passwordOf("s1"),
      flavour: "mariadb",
      database: "s1",
    }).spec as object;
    expect(accountType.schema.safeParse(spec).success).toBe(true);
    expect(accountType.schema.safeParse({ ...spec, ...wrong }).success).toBe(false);
  });
});
