import { RANK, type Change, type Declared, type ResourceType } from "@hostwright/core";
import * as z from "zod";
import { Client } from "./client.ts";
import { applyChanges } from "./locked-changes.ts";
import { identifier, join, keyword, literal, sql, type Sql } from "./quote.ts";

export interface DatabaseSpec {
  readonly name: string;
  /** Role that owns it and alone may connect. */
  readonly owner: string;
  readonly locale: string;
  /** Made with it; later they are the owner's business. */
  readonly extensions: readonly string[];
}

/** A database as it stands. Its contents are not part of it. */
export interface Database extends DatabaseSpec {
  readonly encoding: string;
  /** Who else may do what: `PUBLIC CONNECT`; none for a site's. */
  readonly grants: readonly string[];
}

const Name = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, "letters, digits and _, at most 32");
const Word = z.string().regex(/^[A-Za-z][A-Za-z0-9_.@-]{0,62}$/);

const READ = sql`SELECT datname AS name, pg_get_userbyid(datdba) AS owner, datcollate AS locale,
  pg_encoding_to_char(encoding) AS encoding, ARRAY(
    SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END || ' ' || privilege_type
    FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE grantee <> datdba ORDER BY 1
  ) AS grants FROM pg_database WHERE datname = ANY ($1)`;

async function read(client: Client, keys: readonly string[]): Promise<Map<string, Database>> {
  if (keys.length === 0) return new Map();
  const rows = (await client.query(READ, "reading databases", [keys])) as unknown as readonly Database[];
  return new Map(rows.map((row) => [row.name, { ...row, extensions: [] }]));
}

async function change(client: Client, { before, after }: Change<Database>): Promise<void> {
  if (after === null) {
    // Whoever is connected, such as the site's last request, would keep it.
    if (before !== null) await client.run(sql`DROP DATABASE ${identifier(before.name)} WITH (FORCE)`);
    return;
  }
  const name = identifier(after.name);
  if (before === null) {
    const locale = literal(after.locale);
    await client.run(
      sql`CREATE DATABASE ${name} OWNER ${identifier(after.owner)} TEMPLATE template0 ENCODING ${literal(after.encoding)} LC_COLLATE ${locale} LC_CTYPE ${locale}`,
    );
  }
  const alterations = [
    ...(before !== null && before.owner !== after.owner
      ? [sql`ALTER DATABASE ${name} OWNER TO ${identifier(after.owner)}`]
      : []),
    ...grantChanges(name, before?.grants ?? ["PUBLIC CONNECT", "PUBLIC TEMPORARY"], after.grants),
  ];
  if (alterations.length > 0) await client.run(join(alterations, ";\n"));
  const extensions = before === null ? after.extensions.map((it) => sql`CREATE EXTENSION ${identifier(it)}`) : [];
  if (extensions.length > 0) await client.runIn(after.name, join(extensions, ";\n"));
}

function grantChanges(name: Sql, before: readonly string[], after: readonly string[]): readonly Sql[] {
  const split = (grant: string): { readonly who: Sql; readonly right: Sql } => {
    const at = grant.lastIndexOf(" ");
    const who = grant.slice(0, at);
    return { who: who === "PUBLIC" ? keyword(who) : identifier(who), right: keyword(grant.slice(at + 1)) };
  };
  const without = (all: readonly string[], others: readonly string[]): ReturnType<typeof split>[] =>
    all.filter((grant) => !others.includes(grant)).map(split);
  return [
    ...without(before, after).map(({ who, right }) => sql`REVOKE ${right} ON DATABASE ${name} FROM ${who}`),
    ...without(after, before).map(({ who, right }) => sql`GRANT ${right} ON DATABASE ${name} TO ${who}`),
  ];
}

const identity = ({ name, owner, grants }: Database): unknown => ({ name, owner, grants });

export const databaseType: ResourceType<DatabaseSpec, Database> = {
  name: "postgres-database",
  schema: z.strictObject({ name: Name, owner: Name, locale: Word, extensions: z.array(Word).readonly() }),
  rank: RANK.database,
  removal: "clean-up",
  key: (spec) => spec.name,
  desired: (spec) => ({ ...spec, encoding: "UTF8", grants: [] }),
  async read(target, keys) {
    return read(await Client.of(target), keys);
  },
  // What a database was made with cannot be changed afterwards.
  identity,
  async apply(target, changes) {
    await applyChanges(target, await Client.of(target), changes, { what: "database", read, identity, change });
  },
  showSpec: (spec) => show({ ...spec, grants: [] }),
  showState: show,
};

function show({ owner, locale, grants }: Pick<Database, "owner" | "locale" | "grants">): string {
  return [`database of ${owner}, ${locale}`, ...grants.map((grant) => `also: ${grant}`)].join("\n");
}

export function postgresDatabase(spec: DatabaseSpec): Declared {
  return { type: databaseType.name, spec };
}
