import type { Flavour } from "./flavour.ts";
import { account, identifier, join, keyword, literal, sql, type Sql } from "./quote.ts";
import type { AccountState, Grant } from "./account-state.ts";
import { readAccount } from "./account-row.ts";

/** One row of the query: what kind of thing it tells of which account, and up to five words of it. */
interface Row {
  readonly kind: string;
  readonly grantee: string;
  readonly a: string | null;
  readonly b: string | null;
  readonly c: string | null;
  readonly d: string | null;
  readonly grantable: string | null;
}

export interface AccountName {
  readonly user: string;
  readonly host: string;
}

export function accountName(key: string): AccountName {
  const at = key.lastIndexOf("@");
  return { user: key.slice(0, at), host: key.slice(at + 1) };
}

// As information_schema writes an account. It has no escapes; the names that the schema lets through need none.
const grantee = ({ user, host }: AccountName): string => `'${user}'@'${host}'`;

const MARIADB_ACCOUNT = sql`SELECT 'account' AS kind, CONCAT("'", User, "'@'", Host, "'") AS grantee, Priv AS a, NULL AS b, NULL AS c, NULL AS d, NULL AS grantable FROM mysql.global_priv`;
const MYSQL_ACCOUNT = sql`SELECT 'account' AS kind, CONCAT("'", User, "'@'", Host, "'") AS grantee, CAST(JSON_OBJECT(
  'plugin', plugin, 'authentication_string', authentication_string, 'account_locked', account_locked = 'Y',
  'password_expired', password_expired = 'Y', 'password_lifetime', password_lifetime, 'ssl_type', CONCAT(ssl_type),
  'ssl_cipher', CONVERT(ssl_cipher USING utf8mb4), 'x509_issuer', CONVERT(x509_issuer USING utf8mb4), 'x509_subject', CONVERT(x509_subject USING utf8mb4),
  'max_questions', max_questions, 'max_updates', max_updates, 'max_connections', max_connections, 'max_user_connections', max_user_connections
) AS CHAR) AS a, NULL AS b, NULL AS c, NULL AS d, NULL AS grantable FROM mysql.user`;
const MARIADB_ROLES = sql`SELECT 'role', CONCAT("'", User, "'@'", Host, "'"), Role, NULL, NULL, NULL, Admin_option FROM mysql.roles_mapping`;
const MYSQL_ROLES = sql`SELECT 'role', CONCAT("'", TO_USER, "'@'", TO_HOST, "'"), FROM_USER, FROM_HOST, NULL, NULL, WITH_ADMIN_OPTION FROM mysql.role_edges`;

/** All that stands about these accounts, in one statement however many they are. */
export function accountsQuery(flavour: Flavour, names: readonly AccountName[]): Sql {
  const keys = join(names.map(({ user, host }) => sql`(${literal(host)}, ${literal(user)})`));
  const grantees = join(names.map((name) => literal(grantee(name))));
  const mariadb = flavour === "mariadb";
  const routines = sql`SELECT 'routine', CONCAT("'", User, "'@'", Host, "'"), CONCAT(Proc_priv), Db, Routine_name, CONCAT(Routine_type), NULL FROM mysql.procs_priv`;
  const proxies = sql`SELECT 'proxy', CONCAT("'", User, "'@'", Host, "'"), Proxied_user, Proxied_host, NULL, NULL, NULL FROM mysql.proxies_priv`;
  return join(
    [
      sql`${mariadb ? MARIADB_ACCOUNT : MYSQL_ACCOUNT} WHERE (Host, User) IN (${keys})`,
      sql`SELECT 'global', GRANTEE, PRIVILEGE_TYPE, NULL, NULL, NULL, IS_GRANTABLE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE IN (${grantees})`,
      sql`SELECT 'database', GRANTEE, PRIVILEGE_TYPE, TABLE_SCHEMA, NULL, NULL, IS_GRANTABLE FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE IN (${grantees})`,
      sql`SELECT 'table', GRANTEE, PRIVILEGE_TYPE, TABLE_SCHEMA, TABLE_NAME, NULL, IS_GRANTABLE FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE IN (${grantees})`,
      sql`SELECT 'column', GRANTEE, PRIVILEGE_TYPE, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, IS_GRANTABLE FROM information_schema.COLUMN_PRIVILEGES WHERE GRANTEE IN (${grantees})`,
      sql`${routines} WHERE (Host, User) IN (${keys})`,
      sql`${proxies} WHERE (Host, User) IN (${keys})`,
      mariadb
        ? sql`${MARIADB_ROLES} WHERE (Host, User) IN (${keys})`
        : sql`${MYSQL_ROLES} WHERE (TO_HOST, TO_USER) IN (${keys})`,
    ],
    "\nUNION ALL ",
  );
}

/** States by key. Comparisons of the server ignore case and accents, these don't. */
export function accountStates(
  flavour: Flavour,
  keys: readonly string[],
  rows: readonly unknown[],
): Map<string, AccountState> {
  const byGrantee = Map.groupBy(rows as readonly Row[], (row) => row.grantee);
  const states = new Map<string, AccountState>();
  for (const key of keys) {
    const name = accountName(key);
    const own = byGrantee.get(grantee(name)) ?? [];
    const row = own.find((one) => one.kind === "account");
    if (row === undefined) continue;
    const grants = own.flatMap((one) => grantsOf(flavour, one));
    states.set(key, {
      ...name,
      ...readAccount(flavour, row.a ?? "{}"),
      grants: [...new Map(grants.map((grant) => [`${grant.privilege} ${grant.on}`, grant])).values()],
    });
  }
  return states;
}

const GRANT_OPTION = sql`GRANT OPTION`;

function grantsOf(flavour: Flavour, { kind, a, b, c, d, grantable }: Row): readonly Grant[] {
  const words = { a: a ?? "", b: b ?? "", c: c ?? "", d: d ?? "" };
  const rights = (privilege: Sql, on: Sql): readonly Grant[] => [
    ...(privilege === "USAGE" ? [] : [{ privilege, on }]),
    ...(grantable === "YES" ? [{ privilege: GRANT_OPTION, on }] : []),
  ];
  switch (kind) {
    case "global":
      return rights(keyword(words.a), sql`*.*`);
    case "database":
      // As it was stored: its wildcards are escaped already.
      return rights(keyword(words.a), sql`${identifier(words.b)}.*`);
    case "table":
      return rights(keyword(words.a), sql`${identifier(words.b)}.${identifier(words.c)}`);
    case "column":
      return rights(
        sql`${keyword(words.a)} (${identifier(words.d)})`,
        sql`${identifier(words.b)}.${identifier(words.c)}`,
      );
    case "routine":
      return words.a.split(",").map((word) => ({
        privilege: word === "Grant" ? GRANT_OPTION : keyword(word.toUpperCase()),
        on: sql`${keyword(words.d)} ${identifier(words.b)}.${identifier(words.c)}`,
      }));
    case "proxy":
      return [{ privilege: sql`PROXY`, on: account(words.a, words.b) }];
    case "role":
      return [{ privilege: flavour === "mariadb" ? identifier(words.a) : account(words.a, words.b), on: sql`` }];
    default:
      return [];
  }
}
