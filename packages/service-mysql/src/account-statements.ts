import type { Change } from "@hostwright/core";
import { LIMITS } from "./account-row.ts";
import { grantText, groupGrants, type AccountState, type Grant } from "./account-state.ts";
import type { Dialect, Flavour } from "./flavour.ts";
import { account, count, join, keyword, sql, type Sql } from "./quote.ts";

/** The statements of one change. An account is made only where none is: CREATE USER without IF NOT EXISTS. */
export function accountStatements(dialect: Dialect, { before, after }: Change<AccountState>): readonly Sql[] {
  const state = after ?? before;
  if (state === null) return [];
  const name = account(state.user, state.host);
  const { flavour } = dialect;
  const end = endSessions(dialect, state);
  if (after === null) return [sql`DROP USER ${name}`, ...end];
  if (before === null)
    return [sql`CREATE USER ${name} ${settings(flavour, after)}`, ...expire(name, after), ...give(name, after.grants)];
  const surplus = without(before.grants, after.grants);
  const login = settings(flavour, before) !== settings(flavour, after) || before.expired !== after.expired;
  return [
    ...(login ? [sql`ALTER USER ${name} ${settings(flavour, after)}`, ...expire(name, after)] : []),
    ...groupGrants(surplus).map((grant) => sql`REVOKE ${grantText(grant)} FROM ${name}`),
    ...give(name, without(after.grants, before.grants)),
    ...(login || surplus.length > 0 ? end : []),
  ];
}

/** Whoever is logged in keeps the rights of the moment in which he came. MySQL has no statement for it. */
function endSessions({ flavour, resolvesNames }: Dialect, { user, host }: AccountState): readonly Sql[] {
  if (flavour !== "mariadb") return [];
  // Under another name than the account's, sessions are found by the user alone: the site's other web heads log in anew.
  return [sql`KILL CONNECTION USER ${account(user, resolvesNames && host !== "localhost" ? "%" : host)}`];
}

function give(name: Sql, grants: readonly Grant[]): readonly Sql[] {
  return groupGrants(grants).map((grant) => sql`GRANT ${grantText(grant)} TO ${name}`);
}

function expire(name: Sql, { expired }: AccountState): readonly Sql[] {
  return expired ? [sql`ALTER USER ${name} PASSWORD EXPIRE`] : [];
}

function settings(flavour: Flavour, state: AccountState): Sql {
  const names = [...Object.values(LIMITS), ...(flavour === "mariadb" ? ["MAX_STATEMENT_TIME"] : [])];
  const limits = names.map((name) => sql`${keyword(name)} ${count(state.limits[name] ?? 0)}`);
  const lock = state.locked ? sql`ACCOUNT LOCK` : sql`ACCOUNT UNLOCK`;
  return sql`IDENTIFIED ${state.authentication} REQUIRE ${state.require} WITH ${join(limits, " ")} PASSWORD EXPIRE ${state.expiry} ${lock}`;
}

function without(grants: readonly Grant[], others: readonly Grant[]): readonly Grant[] {
  const known = new Set(others.map(grantText));
  return grants.filter((grant) => !known.has(grantText(grant)));
}
