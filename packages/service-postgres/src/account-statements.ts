import { joinSql, sql, sqlKeyword, sqlNumber, type Change, type Sql } from "@hostwright/core/plugin";
import { ATTRIBUTES, type AccountState } from "./account-state.ts";
import { identifier, literal } from "./quote.ts";

/** One transaction for each change. An account is made only where none is. */
export function accountStatements({ before, after }: Change<AccountState>): readonly Sql[] {
  const state = after ?? before;
  if (state === null) return [];
  const role = identifier(state.user);
  const sessions = sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${literal(state.user)}`;
  const statements: readonly Sql[] =
    after === null
      ? [sessions, sql`DROP ROLE ${role}`]
      : before === null
        ? [sql`CREATE ROLE ${role} ${settings(after)}`, ...memberships(role, [], after.memberOf)]
        : // Whoever is logged in keeps the rights of the moment in which he came.
          [sql`ALTER ROLE ${role} ${settings(after)}`, ...memberships(role, before.memberOf, after.memberOf), sessions];
  return [joinSql(statements, ";\n")];
}

function settings({ attributes, connections, validUntil, verifier }: AccountState): Sql {
  const words = ATTRIBUTES.map((word) => sqlKeyword(attributes.includes(word) ? word : `NO${word}`));
  const password = verifier === null ? sql`NULL` : literal(verifier);
  return sql`${joinSql(words, " ")} CONNECTION LIMIT ${sqlNumber(connections)} PASSWORD ${password} VALID UNTIL ${literal(validUntil)}`;
}

function memberships(role: Sql, before: readonly string[], after: readonly string[]): readonly Sql[] {
  return [
    ...before.filter((name) => !after.includes(name)).map((name) => sql`REVOKE ${identifier(name)} FROM ${role}`),
    ...after.filter((name) => !before.includes(name)).map((name) => sql`GRANT ${identifier(name)} TO ${role}`),
  ];
}
