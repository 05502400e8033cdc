import { problemIf, sql, type DatabaseMoving, type Problem, type ServerView, type Sql } from "@hostwright/core/plugin";
import { asking } from "./facts.ts";
import { optionsOf, type PostgresOptions } from "./options.ts";
import { literal } from "./quote.ts";

/** A row of pg_database that has been looked up as `d`: not all versions know of all providers. */
const localeOf = (collation: Sql): Sql => sql`'locale ' || ${collation} || ' of ' ||
  CASE to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN 'ICU ' WHEN 'b' THEN 'builtin ' ELSE 'libc' END ||
  coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', '')`;

const CONTENTS = sql`SELECT 'bytes', pg_database_size(current_database())::text
  UNION ALL SELECT 'needs', 'extension ' || extname FROM pg_extension
  UNION ALL SELECT DISTINCT 'needs', 'collation ' || collname FROM pg_attribute JOIN pg_collation c ON c.oid = attcollation
    WHERE collnamespace = 'pg_catalog'::regnamespace
  UNION ALL SELECT 'needs', ${localeOf(sql`datcollate`)} FROM pg_database d WHERE datname = current_database()`;

/** Extensions are those that a site may make itself, and those that come with its database. */
function offers({ locale, extensions }: PostgresOptions): Sql {
  return sql`SELECT 'folder', current_setting('data_directory')
  UNION ALL SELECT 'log', pg_size_bytes(current_setting('max_wal_size'))::text
  UNION ALL SELECT 'has', 'extension ' || a.name FROM pg_available_extensions a
    JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = default_version
    WHERE trusted OR NOT superuser OR a.name = ANY (string_to_array(${literal(extensions.join(","))}, ','))
  UNION ALL SELECT 'has', 'collation ' || collname FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace
  UNION ALL SELECT 'has', ${localeOf(literal(locale))} FROM pg_database d WHERE datname = 'template0'`;
}

/** A dump is of its server's version, which an older one does not read. */
function problems(from: ServerView, to: ServerView): readonly Problem[] {
  const [was = 0, is = 0] = [from, to].map(({ facts }) => Number.parseInt(String(facts["version"]), 10));
  return problemIf(
    is < was,
    `PostgreSQL ${is} is older than the ${was} of ${from.name}`,
    `Upgrade it to PostgreSQL ${was}, or choose another server.`,
  );
}

export const moving: DatabaseMoving = {
  contents: (database, server) => asking(optionsOf(server), database, CONTENTS),
  offers: (server) => asking(optionsOf(server), "postgres", offers(optionsOf(server))),
  problems,
};
