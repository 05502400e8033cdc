import type { AccountState } from "./account-state.ts";
import type { Flavour } from "./flavour.ts";
import { count, join, keyword, literal, sql, type Sql } from "./quote.ts";

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
  readonly [limit: string]: unknown;
}

/** Names of the limits as they are kept, and as SQL sets them. */
export const LIMITS: Readonly<Record<string, string>> = {
  max_questions: "MAX_QUERIES_PER_HOUR",
  max_updates: "MAX_UPDATES_PER_HOUR",
  max_connections: "MAX_CONNECTIONS_PER_HOUR",
  max_user_connections: "MAX_USER_CONNECTIONS",
};

/** Reads how an account logs in and what limits it, from what the server keeps of it. */
export function readAccount(flavour: Flavour, json: string | object): Omit<AccountState, "user" | "host" | "grants"> {
  const stored = (typeof json === "string" ? JSON.parse(json) : json) as Stored;
  const limits = Object.entries(LIMITS).map(([kept, name]): [string, number] => [name, Number(stored[kept] ?? 0)]);
  // A limit in seconds with a fraction, that MariaDB alone has.
  limits.push(["MAX_STATEMENT_TIME", Math.ceil(Number(stored["max_statement_time"] ?? 0))]);
  return {
    authentication: authentication(flavour, stored),
    require: requirement(stored),
    expiry: expiry(stored.password_lifetime ?? -1),
    limits: Object.fromEntries(limits.filter(([, value]) => value !== 0)),
    locked: Boolean(stored.account_locked),
    expired: flavour === "mariadb" ? stored.password_last_changed === 0 : Boolean(stored.password_expired),
  };
}

function authentication(flavour: Flavour, stored: Stored): Sql {
  if (flavour === "mysql") return sql`WITH ${clause(stored, sql`AS`)}`;
  // In the list of alternatives an empty one stands for the account's first.
  const all =
    stored.auth_or === undefined || stored.auth_or.length === 0
      ? [stored]
      : stored.auth_or.map((one) => (one.plugin === undefined ? stored : one));
  return sql`VIA ${join(
    all.map((one) => clause(one, sql`USING`)),
    " OR ",
  )}`;
}

function clause({ plugin = "mysql_native_password", authentication_string: secret = "" }: Plugin, using: Sql): Sql {
  const name = keyword(plugin === "" ? "mysql_native_password" : plugin);
  return secret === "" ? name : sql`${name} ${using} ${literal(secret)}`;
}

function requirement({
  ssl_type: type = 0,
  ssl_cipher: cipher = "",
  x509_issuer: issuer = "",
  x509_subject: subject = "",
}: Stored): Sql {
  if (type === 0 || type === "") return sql`NONE`;
  if (type === 1 || type === "ANY") return sql`SSL`;
  if (type === 2 || type === "X509") return sql`X509`;
  const parts = [
    ...(cipher === "" ? [] : [sql`CIPHER ${literal(cipher)}`]),
    ...(issuer === "" ? [] : [sql`ISSUER ${literal(issuer)}`]),
    ...(subject === "" ? [] : [sql`SUBJECT ${literal(subject)}`]),
  ];
  return join(parts, " ");
}

function expiry(days: number): Sql {
  if (days === 0) return sql`NEVER`;
  return days < 0 ? sql`DEFAULT` : sql`INTERVAL ${count(days)} DAY`;
}
