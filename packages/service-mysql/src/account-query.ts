import { joinSql, sql, type Sql } from "@hostwright/core/plugin";
import { readAccount, type AccountState, type Grant } from "./account-state.ts";
import type { Flavour } from "./flavour.ts";
import { literal } from "./quote.ts";

/** One row of the query: an account as it is kept, or one of its rights, quoted by the server itself. */
interface Row {
  readonly kind: "account" | "grant";
  readonly grantee: string;
  readonly what: string;
  /** What a right is on; empty for a role. */
  readonly place: Sql;
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
const OWNER = sql`CONCAT("'", User, "'@'", Host, "'")`;

const name = (column: Sql): Sql => sql`CONCAT('\`', REPLACE(${column}, '\`', '\`\`'), '\`')`;
const account = (user: Sql, host: Sql): Sql => sql`CONCAT(QUOTE(${user}), '@', QUOTE(${host}))`;
const TABLE = sql`CONCAT(${name(sql`TABLE_SCHEMA`)}, '.', ${name(sql`TABLE_NAME`)})`;

/** Of information_schema's tables. A database stands there as it was granted: its wildcards are escaped already. */
const LEVELS: readonly (readonly [table: Sql, what: Sql, place: Sql])[] = [
  [sql`USER_PRIVILEGES`, sql`PRIVILEGE_TYPE`, sql`'*.*'`],
  [sql`SCHEMA_PRIVILEGES`, sql`PRIVILEGE_TYPE`, sql`CONCAT(${name(sql`TABLE_SCHEMA`)}, '.*')`],
  [sql`TABLE_PRIVILEGES`, sql`PRIVILEGE_TYPE`, TABLE],
  [sql`COLUMN_PRIVILEGES`, sql`CONCAT(PRIVILEGE_TYPE, ' (', ${name(sql`COLUMN_NAME`)}, ')')`, TABLE],
];

const MARIADB_ACCOUNT = sql`Priv AS what, '' AS place, NULL AS grantable FROM mysql.global_priv`;
const MYSQL_ACCOUNT = sql`CAST(JSON_OBJECT(
  'plugin', plugin, 'authentication_string', authentication_string, 'account_locked', account_locked = 'Y',
  'password_expired', password_expired = 'Y', 'password_lifetime', password_lifetime, 'ssl_type', CONCAT(ssl_type),
  'ssl_cipher', CONVERT(ssl_cipher USING utf8mb4), 'x509_issuer', CONVERT(x509_issuer USING utf8mb4), 'x509_subject', CONVERT(x509_subject USING utf8mb4),
  'max_questions', max_questions, 'max_updates', max_updates, 'max_connections', max_connections, 'max_user_connections', max_user_connections,
  'reuse_history', Password_reuse_history, 'reuse_days', Password_reuse_time, 'require_current', CONCAT(Password_require_current),
  'second', User_attributes->>'$.additional_password', 'wrong_logins', User_attributes->'$.Password_locking.failed_login_attempts',
  'locked_days', User_attributes->'$.Password_locking.password_lock_time_days'
) AS CHAR) AS what, '' AS place, NULL AS grantable FROM mysql.user`;
const ROUTINES = sql`REPLACE(CONCAT(Proc_priv), 'Grant', 'GRANT OPTION'), CONCAT(Routine_type, ' ', ${name(sql`Db`)}, '.', ${name(sql`Routine_name`)}), NULL FROM mysql.procs_priv`;
const PROXIES = sql`'PROXY', ${account(sql`Proxied_user`, sql`Proxied_host`)}, NULL FROM mysql.proxies_priv`;
const MARIADB_ROLES = sql`${name(sql`Role`)}, '', NULL FROM mysql.roles_mapping`;
const MYSQL_ROLES = sql`${account(sql`FROM_USER`, sql`FROM_HOST`)}, '', NULL FROM (SELECT *, TO_USER AS User, TO_HOST AS Host FROM mysql.role_edges) AS edges`;

/** All that stands about these accounts, in one statement however many they are. */
export function accountsQuery(flavour: Flavour, names: readonly AccountName[]): Sql {
  const keys = joinSql(names.map(({ user, host }) => sql`(${literal(host)}, ${literal(user)})`));
  const grantees = joinSql(names.map((one) => literal(grantee(one))));
  const mariadb = flavour === "mariadb";
  const kept = [ROUTINES, PROXIES, mariadb ? MARIADB_ROLES : MYSQL_ROLES];
  const parts = [
    sql`SELECT 'account' AS kind, ${OWNER} AS grantee, ${mariadb ? MARIADB_ACCOUNT : MYSQL_ACCOUNT} WHERE (Host, User) IN (${keys})`,
    ...LEVELS.map(
      ([table, what, place]) =>
        sql`SELECT 'grant', GRANTEE, ${what}, ${place}, IS_GRANTABLE FROM information_schema.${table} WHERE GRANTEE IN (${grantees})`,
    ),
    ...kept.map((rights) => sql`SELECT 'grant', ${OWNER}, ${rights} WHERE (Host, User) IN (${keys})`),
  ];
  return joinSql(parts, "\nUNION ALL ");
}

/** States by key. Comparisons of the server ignore case and accents, these don't. */
export function accountStates(
  flavour: Flavour,
  keys: readonly string[],
  rows: readonly unknown[],
): Map<string, AccountState> {
  const byGrantee = Map.groupBy(rows as readonly Row[], (row) => row.grantee);
  const states = keys.flatMap((key) => {
    const own = byGrantee.get(grantee(accountName(key))) ?? [];
    const row = own.find((one) => one.kind === "account");
    if (row === undefined) return [];
    const grants = own.flatMap(grantsOf).map((grant) => [`${grant.privilege} ${grant.on}`, grant] as const);
    const state = { ...accountName(key), ...readAccount(flavour, row.what), grants: [...new Map(grants).values()] };
    return [[key, state] as const];
  });
  return new Map(states);
}

function grantsOf({ kind, what, place: on, grantable }: Row): readonly Grant[] {
  if (kind === "account") return [];
  return [
    ...(what === "USAGE" ? [] : [{ privilege: what as Sql, on }]),
    ...(grantable === "YES" ? [{ privilege: sql`GRANT OPTION`, on }] : []),
  ];
}
