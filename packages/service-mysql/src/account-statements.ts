import { sql, type Change, type Sql } from "@hostwright/core/plugin";
import { grantText, groupGrants, type AccountState, type Grant } from "./account-state.ts";
import type { Dialect } from "./flavour.ts";
import { account, literal } from "./quote.ts";

const LOGIN = ["authentication", "second", "conditions", "expired"] as const;

/** The statements of one change. An account is made only where none is: CREATE USER without IF NOT EXISTS. */
export function accountStatements(dialect: Dialect, { before, after }: Change<AccountState>): readonly Sql[] {
  const state = after ?? before;
  if (state === null) return [];
  const name = account(state.user, state.host);
  const end = endSessions(dialect, state);
  if (after === null) return [sql`DROP USER ${name}`, ...end];
  if (before === null)
    return [sql`CREATE USER ${name} ${settings(after)}`, ...further(name, after), ...give(name, after.grants)];
  const surplus = without(before.grants, after.grants);
  const login = LOGIN.some((part) => before[part] !== after[part]);
  // Apart from the right to grant: MySQL takes all rights and that one for everything, in every database.
  const revoked = Map.groupBy(surplus, ({ privilege }) => privilege === "GRANT OPTION").values();
  return [
    ...(login ? [sql`ALTER USER ${name} ${settings(after)}`, ...further(name, after, before)] : []),
    ...[...revoked].flatMap(groupGrants).map((grant) => sql`REVOKE ${grantText(grant)} FROM ${name}`),
    ...give(name, without(after.grants, before.grants)),
    ...(login || surplus.length > 0 ? end : []),
  ];
}

/** Whoever is logged in keeps the rights of the moment in which he came. MySQL ends a session by its number alone. */
function endSessions({ flavour, resolvesNames }: Dialect, { user, host }: AccountState): readonly Sql[] {
  // Under another name than the account's, sessions are found by the user alone: the site's other web heads log in anew.
  const from = resolvesNames && host !== "localhost" ? "%" : host;
  if (flavour === "mariadb") return [sql`KILL CONNECTION USER ${account(user, from)}`];
  return [
    sql`SELECT CONCAT('KILL ', ID) AS next FROM information_schema.PROCESSLIST WHERE USER = ${literal(user)} AND CONCAT(HOST, ':') LIKE ${literal(`${from}:%`)}`,
  ];
}

function give(name: Sql, grants: readonly Grant[]): readonly Sql[] {
  return groupGrants(grants).map((grant) => sql`GRANT ${grantText(grant)} TO ${name}`);
}

/** What the statement with the settings cannot say. */
function further(name: Sql, { authentication, second, expired }: AccountState, before?: AccountState): readonly Sql[] {
  const both = [sql`IDENTIFIED ${second}`, sql`IDENTIFIED ${authentication} RETAIN CURRENT PASSWORD`];
  const one = before === undefined || before.second === "" ? [] : [sql`DISCARD OLD PASSWORD`];
  const all = [...(second === "" ? one : both), ...(expired ? [sql`PASSWORD EXPIRE`] : [])];
  return all.map((how) => sql`ALTER USER ${name} ${how}`);
}

function settings({ authentication, conditions }: AccountState): Sql {
  return sql`IDENTIFIED ${authentication} ${conditions}`;
}

function without(grants: readonly Grant[], others: readonly Grant[]): readonly Grant[] {
  const known = new Set(others.map(grantText));
  return grants.filter((grant) => !known.has(grantText(grant)));
}
