import {
  joinSql,
  problemIf,
  sql,
  type DatabaseMoving,
  type Problem,
  type ServerView,
  type Sql,
} from "@hostwright/core/plugin";
import { asking, type Version } from "./facts.ts";
import { FLAVOURS, type Flavour } from "./flavour.ts";
import type { MysqlOptions } from "./options.ts";
import { literal } from "./quote.ts";

/** Where the full names of collations stand, those that columns have. MySQL keeps sizes for a day, unless it is told. */
const WORDS: Readonly<Record<Flavour, { readonly collations: Sql; readonly before: Sql }>> = {
  mariadb: {
    collations: sql`FULL_COLLATION_NAME) FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY`,
    before: sql``,
  },
  mysql: {
    collations: sql`COLLATION_NAME) FROM information_schema.COLLATIONS`,
    before: sql`SET SESSION information_schema_stats_expiry = 0; `,
  },
};

/** A table is a file that has some room from the start, which the server does not count. */
function contents(database: string, { flavour }: MysqlOptions): Sql {
  const there = sql`WHERE TABLE_SCHEMA = ${literal(database)}`;
  const needs = [
    sql`CONCAT('engine ', ENGINE) FROM information_schema.TABLES ${there} AND ENGINE IS NOT NULL`,
    sql`CONCAT('collation ', TABLE_COLLATION) FROM information_schema.TABLES ${there} AND TABLE_COLLATION IS NOT NULL`,
    sql`CONCAT('collation ', COLLATION_NAME) FROM information_schema.COLUMNS ${there} AND COLLATION_NAME IS NOT NULL`,
  ];
  return sql`${WORDS[flavour].before}SELECT 'bytes', CAST(IFNULL(SUM(DATA_LENGTH + INDEX_LENGTH + 131072), 0) AS CHAR) FROM information_schema.TABLES ${there}
    UNION ALL ${joinSql(
      needs.map((need) => sql`SELECT DISTINCT 'needs', ${need}`),
      "\nUNION ALL ",
    )}`;
}

/** A binary log holds all that is loaded once more. */
const offers = ({ flavour }: MysqlOptions): Sql => sql`SELECT 'folder', @@datadir
  UNION ALL SELECT 'log', IF(@@log_bin, '9007199254740991', '0')
  UNION ALL SELECT 'has', CONCAT('engine ', ENGINE) FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')
  UNION ALL SELECT 'has', CONCAT('collation ', ${WORDS[flavour].collations}`;

const optionsOf = (server: ServerView): MysqlOptions => server.service.options as MysqlOptions;

/** A dump is of its server's flavour and version, which neither the other flavour nor an older version reads. */
function problems(from: ServerView, to: ServerView): readonly Problem[] {
  const [was, is] = [from, to].map(({ facts }) => facts["version"] as Version);
  if (was === undefined || is === undefined) return [];
  const title = FLAVOURS[was.flavour].title;
  if (is.flavour !== was.flavour) {
    const message = `${FLAVOURS[is.flavour].title} does not read what ${title} on ${from.name} writes`;
    return [{ message, remedy: `Choose a server with ${title}.` }];
  }
  const [older, release] = [number(is) < number(was), was.version.split(".").slice(0, 2).join(".")];
  const message = `${title} ${is.version} is older than the ${was.version} of ${from.name}`;
  return problemIf(older, message, `Upgrade it to ${title} ${release}, or choose another server.`);
}

/** Within a release all read one another. */
function number({ version }: Version): number {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major * 1000 + minor;
}

export const moving: DatabaseMoving = {
  contents: (database, server) => asking(optionsOf(server), contents(database, optionsOf(server))),
  offers: (server) => asking(optionsOf(server), offers(optionsOf(server))),
  problems,
};
