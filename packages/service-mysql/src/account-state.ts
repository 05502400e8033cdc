import { joinSql, sql, sqlKeyword, sqlNumber, type Sql } from "@hostwright/core/plugin";
import type { Flavour } from "./flavour.ts";
import { literal } from "./quote.ts";

/** One right: `SELECT` on `` `s1`.* ``. A role is a privilege on nothing. */
export interface Grant {
  readonly privilege: Sql;
  readonly on: Sql;
}

/** An account as it stands, in the words of SQL, so that any state can be set again. Its hash makes it a secret. */
export interface AccountState {
  readonly user: string;
  readonly host: string;
  /** What stands after IDENTIFIED. */
  readonly authentication: Sql;
  /** The same for an earlier password that is taken as well; empty for none. MySQL's alone. */
  readonly second: Sql;
  /** What stands behind that: TLS, limits, expiry, lock and rules for passwords. */
  readonly conditions: Sql;
  /** The password must be changed at the next login. */
  readonly expired: boolean;
  readonly grants: readonly Grant[];
}

interface Plugin {
  readonly plugin?: string;
  readonly authentication_string?: string;
}

/** What mysql.global_priv keeps of an account; the query gives a MySQL account the same names. */
interface Stored extends Plugin {
  readonly auth_or?: readonly Plugin[];
  readonly account_locked?: boolean | number;
  readonly password_expired?: boolean | number;
  readonly password_last_changed?: number;
  readonly password_lifetime?: number | null;
  readonly ssl_type?: number | string;
  readonly ssl_cipher?: string;
  readonly x509_issuer?: string;
  readonly x509_subject?: string;
  readonly reuse_history?: number | null;
  readonly reuse_days?: number | null;
  readonly require_current?: "Y" | "N" | null;
  readonly second?: string | null;
  readonly wrong_logins?: number | null;
  readonly locked_days?: number | null;
  readonly [limit: string]: unknown;
}

/** Names of the limits as they are kept, and as SQL sets them. MariaDB alone has the last: seconds with a fraction. */
const LIMITS = [
  ["max_questions", "MAX_QUERIES_PER_HOUR"],
  ["max_updates", "MAX_UPDATES_PER_HOUR"],
  ["max_connections", "MAX_CONNECTIONS_PER_HOUR"],
  ["max_user_connections", "MAX_USER_CONNECTIONS"],
  ["max_statement_time", "MAX_STATEMENT_TIME"],
] as const;

/** How an account logs in and what limits it, from what the server keeps of it. */
export function readAccount(flavour: Flavour, json: string | object): Omit<AccountState, "user" | "host" | "grants"> {
  // mysql2 parses what is JSON to the server.
  const stored = (typeof json === "string" ? JSON.parse(json) : json) as Stored;
  const second = stored.second ?? "";
  return {
    authentication: authentication(flavour, stored),
    second: second === "" ? sql`` : authentication(flavour, { ...stored, authentication_string: second }),
    conditions: conditions(flavour, stored),
    expired: flavour === "mariadb" ? stored.password_last_changed === 0 : Boolean(stored.password_expired),
  };
}

/** Of an account as Hostwright makes them: open, without limits, its password never expiring. */
export function plainConditions(flavour: Flavour): Sql {
  return conditions(flavour, { password_lifetime: 0 });
}

function authentication(flavour: Flavour, stored: Stored): Sql {
  const { plugin = "", authentication_string: secret = "" } = stored;
  // Without AS the server takes the password for an expired one.
  if (flavour === "mysql") return sql`WITH ${sqlKeyword(plugin)} AS ${literal(secret)}`;
  // In the list of alternatives an empty one stands for the account's first.
  const all = stored.auth_or?.length
    ? stored.auth_or.map((one) => (one.plugin === undefined ? stored : one))
    : [stored];
  return sql`VIA ${joinSql(all.map(clause), " OR ")}`;
}

function clause({ plugin = "", authentication_string: secret = "" }: Plugin): Sql {
  const name = sqlKeyword(plugin === "" ? "mysql_native_password" : plugin);
  return secret === "" ? name : sql`${name} USING ${literal(secret)}`;
}

function conditions(flavour: Flavour, stored: Stored): Sql {
  const limits = LIMITS.filter(([kept]) => flavour === "mariadb" || kept !== "max_statement_time").map(
    ([kept, name]) => sql`${sqlKeyword(name)} ${sqlNumber(Math.ceil(Number(stored[kept] ?? 0)))}`,
  );
  const days = stored.password_lifetime ?? -1;
  const expiry = days === 0 ? sql`NEVER` : days < 0 ? sql`DEFAULT` : sql`INTERVAL ${sqlNumber(days)} DAY`;
  const lock = stored.account_locked ? sql`ACCOUNT LOCK` : sql`ACCOUNT UNLOCK`;
  return sql`REQUIRE ${requirement(stored)} WITH ${joinSql(limits, " ")} PASSWORD EXPIRE ${expiry} ${lock}${flavour === "mysql" ? rules(stored) : sql``}`;
}

function rules({ reuse_history = null, reuse_days = null, require_current, wrong_logins, locked_days }: Stored): Sql {
  const history = reuse_history === null ? sql`DEFAULT` : sqlNumber(reuse_history);
  const reuse = reuse_days === null ? sql`DEFAULT` : sql`${sqlNumber(reuse_days)} DAY`;
  const current = { Y: sql``, N: sql` OPTIONAL`, "": sql` DEFAULT` }[require_current ?? ""];
  const [wrong, days] = [wrong_logins ?? 0, locked_days ?? 0];
  const locked = days < 0 ? sql`UNBOUNDED` : sqlNumber(days);
  return sql` PASSWORD HISTORY ${history} PASSWORD REUSE INTERVAL ${reuse} PASSWORD REQUIRE CURRENT${current} FAILED_LOGIN_ATTEMPTS ${sqlNumber(wrong)} PASSWORD_LOCK_TIME ${locked}`;
}

function requirement({ ssl_type: type = 0, ssl_cipher, x509_issuer, x509_subject }: Stored): Sql {
  if (type === 0 || type === "") return sql`NONE`;
  if (type === 1 || type === "ANY") return sql`SSL`;
  if (type === 2 || type === "X509") return sql`X509`;
  const parts = { CIPHER: ssl_cipher, ISSUER: x509_issuer, SUBJECT: x509_subject };
  const given = Object.entries(parts).filter(([, value = ""]) => value !== "");
  return joinSql(
    given.map(([word, value = ""]) => sql`${sqlKeyword(word)} ${literal(value)}`),
    " ",
  );
}

/** `SELECT, INSERT ON ...`: grants side by side by what they are on, sorted. */
export function groupGrants(grants: readonly Grant[]): readonly Grant[] {
  const byTarget = Map.groupBy(grants, (grant) => grant.on);
  return [...byTarget]
    .map(([on, list]): Grant => ({
      on,
      privilege: joinSql([...new Set(list.map((grant) => grant.privilege))].toSorted()),
    }))
    .toSorted((a, b) => (a.on < b.on ? -1 : 1));
}

export function grantText({ privilege, on }: Grant): Sql {
  return on === "" ? privilege : sql`${privilege} ON ${on}`;
}

/** The same for equal accounts, whatever the order of their grants. */
export function accountIdentity(state: AccountState): unknown {
  return { ...state, grants: groupGrants(state.grants).map(grantText) };
}
