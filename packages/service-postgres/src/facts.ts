import { tabbedValues, type FactProbe } from "@hostwright/core";
import type { PostgresOptions } from "./options.ts";

/** What a running server says of itself that decides whether sites are safe on it. */
export interface Exposure {
  /** What it binds: `localhost`, `*`, `localhost,10.0.0.5`. */
  readonly listens: string;
  /** Lines of its rules that let people in without a password over the network. */
  readonly trusted: readonly string[];
  /** Is a password asked for on its loopback, where sites of the same machine log in? */
  readonly loopback: boolean;
}

const QUERY = `SELECT 'listens', current_setting('listen_addresses') UNION ALL
  SELECT CASE WHEN type LIKE 'host%' AND auth_method = 'trust' THEN 'trusted' ELSE 'loopback' END, 'line ' || line_number
  FROM pg_hba_file_rules WHERE type LIKE 'host%' AND auth_method IN ('trust', 'scram-sha-256')`;

export function facts({ version, port }: PostgresOptions): Readonly<Record<string, FactProbe>> {
  const psql = ["psql", "-X", "-A", "-t", "-F", "\t", "-p", String(port), "-d", "postgres", "-c", QUERY];
  return {
    /** Its full version, null where it is not installed. */
    version: {
      argv: [`/usr/lib/postgresql/${version}/bin/postgres`, "--version"],
      parse: ({ exitCode, stdout }) => (exitCode === 0 ? (/(\d+\.\d+)/.exec(stdout)?.[1] ?? null) : null),
    },
    /** Null where the server does not answer. */
    exposure: {
      argv: [..."setpriv --reuid=postgres --regid=postgres --init-groups env PGCONNECT_TIMEOUT=10".split(" "), ...psql],
      parse: ({ exitCode, stdout }) => (exitCode === 0 ? parseExposure(stdout) : null),
    },
  };
}

export function parseExposure(output: string): Exposure {
  const values = tabbedValues(output);
  return {
    listens: values("listens")[0] ?? "",
    trusted: values("trusted"),
    loopback: values("loopback").length > 0,
  };
}
