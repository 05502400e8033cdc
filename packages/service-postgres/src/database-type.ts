import {
  DatabaseName,
  defineDatabaseResource,
  RANK,
  sql,
  type Change,
  type DatabaseStatement,
  type Declared,
  type ResourceType,
  type Sql,
} from "@hostwright/core/plugin";
import * as z from "zod";
import { identifier, literal } from "./quote.ts";
import { driver, type Session } from "./session.ts";

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
  /** Who else may do what, quoted by the server: `CONNECT PUBLIC`; none for a site's. */
  readonly grants: readonly Sql[];
}

const Word = z.string().regex(/^[A-Za-z][A-Za-z0-9_.@-]{0,62}$/);

const READ = sql`SELECT datname AS name, pg_get_userbyid(datdba) AS owner, datcollate AS locale,
  pg_encoding_to_char(encoding) AS encoding, ARRAY(
    SELECT privilege_type || ' ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
    FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE grantee <> datdba ORDER BY 1
  ) AS grants FROM pg_database WHERE datname = ANY ($1)`;

async function states(session: Session, keys: readonly string[]): Promise<ReadonlyMap<string, Database>> {
  const rows = (await session.query(READ, [keys])) as unknown as readonly Database[];
  return new Map(rows.map((row) => [row.name, { ...row, extensions: [] }]));
}

function statements({ before, after }: Change<Database>): readonly DatabaseStatement[] {
  if (after === null) {
    // Whoever is connected, such as the site's last request, would keep it.
    return before === null ? [] : [sql`DROP DATABASE ${identifier(before.name)} WITH (FORCE)`];
  }
  const name = identifier(after.name);
  const owner = identifier(after.owner);
  if (before !== null) {
    return [
      ...(before.owner === after.owner ? [] : [sql`ALTER DATABASE ${name} OWNER TO ${owner}`]),
      ...grantChanges(name, before.grants, after.grants),
    ];
  }
  const locale = literal(after.locale);
  return [
    sql`CREATE DATABASE ${name} OWNER ${owner} TEMPLATE template0 ENCODING ${literal(after.encoding)} LC_COLLATE ${locale} LC_CTYPE ${locale}`,
    // Before the rights, which are read: what was cut off between the two must not look as if all was done.
    ...after.extensions.map((it) => ({ database: after.name, statement: sql`CREATE EXTENSION ${identifier(it)}` })),
    ...grantChanges(name, [sql`CONNECT PUBLIC`, sql`TEMPORARY PUBLIC`], after.grants),
  ];
}

function grantChanges(name: Sql, before: readonly Sql[], after: readonly Sql[]): readonly Sql[] {
  const changed = (verb: Sql, grant: Sql, towards: Sql): Sql => {
    const at = grant.indexOf(" ");
    return sql`${verb} ${grant.slice(0, at) as Sql} ON DATABASE ${name} ${towards} ${grant.slice(at + 1) as Sql}`;
  };
  return [
    ...before.filter((grant) => !after.includes(grant)).map((grant) => changed(sql`REVOKE`, grant, sql`FROM`)),
    ...after.filter((grant) => !before.includes(grant)).map((grant) => changed(sql`GRANT`, grant, sql`TO`)),
  ];
}

export const databaseType: ResourceType<DatabaseSpec, Database> = defineDatabaseResource({
  name: "postgres-database",
  schema: z.strictObject({
    name: DatabaseName,
    owner: DatabaseName,
    locale: Word,
    extensions: z.array(Word).readonly(),
  }),
  rank: RANK.database,
  removal: "clean-up",
  driver,
  what: "database",
  key: (spec) => spec.name,
  desired: (spec) => ({ ...spec, encoding: "UTF8", grants: [] }),
  states,
  // What a database was made with cannot be changed afterwards.
  identity: ({ name, owner, grants }) => ({ name, owner, grants }),
  statements,
  showSpec: (spec) => show({ ...spec, grants: [] }),
  showState: show,
});

function show({ owner, locale, grants }: Pick<Database, "owner" | "locale" | "grants">): string {
  return [`database of ${owner}, ${locale}`, ...grants.map((grant) => `also: ${grant}`)].join("\n");
}

export function postgresDatabase(spec: DatabaseSpec): Declared {
  return { type: databaseType.name, spec };
}
