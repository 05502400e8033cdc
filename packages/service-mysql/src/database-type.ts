import {
  DatabaseName,
  defineDatabaseResource,
  joinSql,
  RANK,
  sql,
  sqlKeyword,
  type Change,
  type Declared,
  type ResourceType,
  type Sql,
} from "@hostwright/core/plugin";
import * as z from "zod";
import { identifier, literal } from "./quote.ts";
import { driver, type Session } from "./session.ts";

/** A database with the defaults of its tables. Its contents are not part of it. */
export interface Database {
  readonly name: string;
  readonly charset: string;
  readonly collation: string;
}

const Word = z.string().regex(/^[a-z0-9_]{2,64}$/);

async function states(session: Session, keys: readonly string[]): Promise<ReadonlyMap<string, Database>> {
  const rows = (await session.query(
    sql`SELECT SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN (${joinSql(keys.map(literal))})`,
  )) as unknown as readonly Database[];
  // The server's comparison ignores case and accents.
  const wanted = new Set(keys);
  return new Map(rows.filter(({ name }) => wanted.has(name)).map((database) => [database.name, database]));
}

function statements({ before, after }: Change<Database>): readonly Sql[] {
  if (after === null) return before === null ? [] : [sql`DROP DATABASE ${identifier(before.name)}`];
  const verb = before === null ? sql`CREATE` : sql`ALTER`;
  return [
    sql`${verb} DATABASE ${identifier(after.name)} CHARACTER SET ${sqlKeyword(after.charset)} COLLATE ${sqlKeyword(after.collation)}`,
  ];
}

export const databaseType: ResourceType<Database, Database> = defineDatabaseResource({
  name: "mysql-database",
  schema: z.strictObject({ name: DatabaseName, charset: Word, collation: Word }),
  rank: RANK.database,
  removal: "clean-up",
  driver,
  what: "database",
  key: (spec) => spec.name,
  desired: (spec) => spec,
  states,
  identity: ({ name, charset, collation }) => ({ name, charset, collation }),
  statements,
  showSpec: show,
  showState: show,
});

function show({ charset, collation }: Database): string {
  return `database, ${charset}, ${collation}`;
}

export function mysqlDatabase(spec: Database): Declared {
  return { type: databaseType.name, spec };
}
