import { RANK, type Change, type Declared, type Reference, type ResourceType } from "@hostwright/core";
import * as z from "zod";
import { Client } from "./client.ts";
import { applyChanges } from "./locked-changes.ts";
import { scramVerifier } from "./password.ts";
import { identifier, join, keyword, literal, sql, type Sql } from "./quote.ts";

/** A role that may log in and owns what it makes, with no other right. */
export interface Account {
  readonly user: string;
  readonly password: Reference;
}

/** A role as it stands, so that any can be set again. What is kept of its password makes it a secret. */
export interface AccountState {
  readonly user: string;
  /** What PostgreSQL keeps of the password; null: it has none. */
  readonly verifier: string | null;
  /** `LOGIN`, `SUPERUSER` ...: those it has, sorted. */
  readonly attributes: readonly string[];
  /** Roles that it is a member of, sorted. */
  readonly memberOf: readonly string[];
  readonly connections: number;
  readonly validUntil: string;
}

const schema: z.ZodType<Account> = z.strictObject({
  user: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, "letters, digits and _, at most 32"),
  password: z.strictObject({
    ref: z.literal("secret"),
    id: z.string().min(1),
    label: z.string(),
    quote: z.literal("none").exactOptional(),
  }),
});

/** Columns of pg_authid and their words in SQL. */
const ATTRIBUTES = ["BYPASSRLS", "CREATEDB", "CREATEROLE", "INHERIT", "LOGIN", "REPLICATION", "SUPERUSER"];
const OF_A_SITE = ["INHERIT", "LOGIN"];

const READ = sql`SELECT rolname AS user, rolpassword AS verifier, rolconnlimit AS connections,
  coalesce(rolvaliduntil::text, 'infinity') AS "validUntil", array_remove(ARRAY[
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
    CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolinherit THEN 'INHERIT' END,
    CASE WHEN rolcanlogin THEN 'LOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' END,
    CASE WHEN rolsuper THEN 'SUPERUSER' END], NULL) AS attributes,
  ARRAY(SELECT pg_get_userbyid(roleid)::text FROM pg_auth_members WHERE member = pg_authid.oid ORDER BY 1) AS "memberOf"
  FROM pg_authid WHERE rolname = ANY ($1)`;

async function read(client: Client, keys: readonly string[]): Promise<Map<string, AccountState>> {
  if (keys.length === 0) return new Map();
  const rows = (await client.query(READ, "reading roles", [keys])) as unknown as readonly AccountState[];
  return new Map(rows.map((row) => [row.user, { ...row }]));
}

async function change(client: Client, { before, after }: Change<AccountState>): Promise<void> {
  const state = after ?? before;
  if (state === null) return;
  const role = identifier(state.user);
  const sessions = sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${literal(state.user)}`;
  const statements: readonly Sql[] =
    after === null
      ? [sessions, sql`DROP ROLE ${role}`]
      : before === null
        ? [sql`CREATE ROLE ${role} ${settings(after)}`, ...memberships(role, [], after.memberOf)]
        : // Whoever is logged in keeps the rights of the moment in which he came.
          [sql`ALTER ROLE ${role} ${settings(after)}`, ...memberships(role, before.memberOf, after.memberOf), sessions];
  await client.run(join(statements, ";\n"));
}

function settings({ attributes, connections, validUntil, verifier }: AccountState): Sql {
  const words = ATTRIBUTES.map((word) => keyword(attributes.includes(word) ? word : `NO${word}`));
  const password = verifier === null ? sql`NULL` : literal(verifier);
  const limit = literal(String(connections)).slice(1, -1) as Sql;
  return sql`${join(words, " ")} CONNECTION LIMIT ${limit} PASSWORD ${password} VALID UNTIL ${literal(validUntil)}`;
}

function memberships(role: Sql, before: readonly string[], after: readonly string[]): readonly Sql[] {
  return [
    ...before.filter((name) => !after.includes(name)).map((name) => sql`REVOKE ${identifier(name)} FROM ${role}`),
    ...after.filter((name) => !before.includes(name)).map((name) => sql`GRANT ${identifier(name)} TO ${role}`),
  ];
}

export const accountType: ResourceType<Account, AccountState> = {
  name: "postgres-account",
  schema,
  // A database has an owner from the first moment on.
  rank: RANK.database - 1,
  removal: "clean-up",
  key: ({ user }) => user,
  desired: ({ user, password }, resolve) => ({
    user,
    verifier: scramVerifier(user, resolve(password)),
    attributes: OF_A_SITE,
    memberOf: [],
    connections: -1,
    validUntil: "infinity",
  }),
  async read(target, keys) {
    return read(await Client.of(target), keys);
  },
  identity: (state) => state,
  async apply(target, changes) {
    const identity = accountType.identity;
    await applyChanges(target, await Client.of(target), changes, { what: "role", read, identity, change });
  },
  showSpec: ({ password }) => show(`<${password.label}>`, OF_A_SITE, []),
  showState: ({ verifier, attributes, memberOf }) =>
    show(verifier === null ? "no password" : "[hash]", attributes, memberOf),
};

function show(password: string, attributes: readonly string[], memberOf: readonly string[]): string {
  const lines = [`login: scram-sha-256 ${password}`, `role: ${attributes.join(", ")}`];
  return [...lines, ...memberOf.map((name) => `member of: ${name}`)].join("\n");
}

export function postgresAccount(spec: Account): Declared {
  return { type: accountType.name, spec };
}
