import { tabbedValues, type FactProbe } from "@hostwright/core/plugin";
import type { PostgresOptions } from "./options.ts";

/** What a running server says of itself that decides whether sites are safe on it. */
export interface Exposure {
  /** What it binds: `localhost`, `*`, `localhost,10.0.0.5`. */
  readonly listens: string;
  /** File that its rules begin in. */
  readonly rules: string;
  /** Lines of its rules that let people in without a password over the network. */
  readonly trusted: readonly string[];
}

const QUERY = `SELECT 'listens', current_setting('listen_addresses') UNION ALL SELECT 'rules', current_setting('hba_file') UNION ALL
  SELECT 'trusted', 'line ' || line_number FROM pg_hba_file_rules WHERE type LIKE 'host%' AND auth_method = 'trust'`;

/**
 * Asks as postgres; each row is a line, with tabs between its values. Names mean the server's own functions, wherever the
 * owner of the database would have them looked up: his would run as the administrator.
 */
export function asking({ port }: PostgresOptions, database: string, query: string): readonly string[] {
  const as = "setpriv --reuid=postgres --regid=postgres --init-groups env PGCONNECT_TIMEOUT=10".split(" ");
  const psql = ["psql", "-X", "-A", "-t", "-F", "\t", "-p", String(port), "-d", database, "-c", query];
  return [...as, "PGOPTIONS=-c search_path=pg_catalog", ...psql];
}

export function facts(options: PostgresOptions): Readonly<Record<string, FactProbe>> {
  return {
    /** Its full version, null where it is not installed. */
    version: {
      argv: [`/usr/lib/postgresql/${options.version}/bin/postgres`, "--version"],
      parse: ({ exitCode, stdout }) => (exitCode === 0 ? (/\b(\d+\.\d+)/.exec(stdout)?.[1] ?? null) : null),
    },
    /** Null where the server does not answer. */
    exposure: {
      argv: asking(options, "postgres", QUERY),
      parse({ exitCode, stdout }): Exposure | null {
        if (exitCode !== 0) return null;
        const values = tabbedValues(stdout);
        const [[listens = ""], [rules = ""]] = [values("listens"), values("rules")];
        return { listens, rules, trusted: values("trusted") };
      },
    },
  };
}
