import { sql, type Change, type Sql } from "@hostwright/core";
import { grantText, groupGrants, type AccountState, type Grant } from "./account-state.ts";
import type { Dialect } from "./flavour.ts";
import { account } from "./quote.ts";

/** The statements of one change. An account is made only where none is: CREATE USER without IF NOT EXISTS. */
export function accountStatements(dialect: Dialect, { before, after }: Change<AccountState>): readonly Sql[] {
  const state = after ?? before;
  if (state === null) return [];
  const name = account(state.user, state.host);
  const end = endSessions(dialect, state);
  if (after === null) return [sql`DROP USER ${name}`, ...end];
  if (before === null)
    return [sql`CREATE USER ${name} ${settings(after)}`, ...expire(name, after), ...give(name, after.grants)];
  const surplus = without(before.grants, after.grants);
  const login = settings(before) !== settings(after) || before.expired !== after.expired;
  return [
    ...(login ? [sql`ALTER USER ${name} ${settings(after)}`, ...expire(name, after)] : []),
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

function settings({ authentication, conditions }: AccountState): Sql {
  return sql`IDENTIFIED ${authentication} ${conditions}`;
}

function without(grants: readonly Grant[], others: readonly Grant[]): readonly Grant[] {
  const known = new Set(others.map(grantText));
  return grants.filter((grant) => !known.has(grantText(grant)));
}
