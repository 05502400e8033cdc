import { RANK, type Change, type Declared, type ResourceType } from "@hostwright/core";
import * as z from "zod";
import { Client } from "./client.ts";
import { applyChanges } from "./locked-changes.ts";
import { identifier, join, keyword, literal, sql, type Sql } from "./quote.ts";
import type { Session } from "./session.ts";

/** A database with the defaults of its tables. Its contents are not part of it. */
export interface Database {
  readonly name: string;
  readonly charset: string;
  readonly collation: string;
}

const Name = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, "letters, digits and _, at most 32");
const Word = z.string().regex(/^[a-z0-9_]{2,64}$/);

async function read(session: Session, keys: readonly string[]): Promise<Map<string, Database>> {
  if (keys.length === 0) return new Map();
  const rows = await session.query(
    sql`SELECT SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN (${join(keys.map(literal))})`,
    "reading databases",
  );
  // The server's comparison ignores case and accents.
  const wanted = new Set(keys);
  const found = rows.map((row): Database => ({
    name: String(row["name"]),
    charset: String(row["charset"]),
    collation: String(row["collation"]),
  }));
  return new Map(found.filter(({ name }) => wanted.has(name)).map((database) => [database.name, database]));
}

function statements({ before, after }: Change<Database>): readonly Sql[] {
  if (after === null) return before === null ? [] : [sql`DROP DATABASE ${identifier(before.name)}`];
  const verb = before === null ? sql`CREATE` : sql`ALTER`;
  return [
    sql`${verb} DATABASE ${identifier(after.name)} CHARACTER SET ${keyword(after.charset)} COLLATE ${keyword(after.collation)}`,
  ];
}

const show = ({ charset, collation }: Database): string => `database, ${charset}, ${collation}`;

export const databaseType: ResourceType<Database, Database> = {
  name: "mysql-database",
  schema: z.strictObject({ name: Name, charset: Word, collation: Word }),
  rank: RANK.database,
  removal: "clean-up",
  key: (spec) => spec.name,
  desired: (spec) => spec,
  async read(target, keys) {
    const client = await Client.of(target);
    return read(await client.session(), keys);
  },
  identity: ({ name, charset, collation }) => ({ name, charset, collation }),
  async apply(target, changes) {
    const client = await Client.of(target);
    await applyChanges(target, client, changes, {
      what: "database",
      read,
      identity: databaseType.identity,
      statements,
    });
  },
  showSpec: show,
  showState: show,
};

export function mysqlDatabase(spec: Database): Declared {
  return { type: databaseType.name, spec };
}
