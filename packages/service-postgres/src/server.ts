import { AFTER_NETWORK, directory, unit, unitDropIn, type Declared, type ServerView } from "@hostwright/core/plugin";
import { ACCESS_FOLDER, postgresAccess } from "./access-type.ts";
import { optionsOf, placesOf, type PostgresOptions } from "./options.ts";

export const SITES_FOLDER: string = `${ACCESS_FOLDER}/sites`;
export const RULES: string = `${ACCESS_FOLDER}/rules.conf`;

/**
 * The cluster's settings as Debian's own starter takes them: its folder in /etc belongs to postgres, where root writes
 * nothing. The lists were parsed: nothing in them needs quoting.
 */
function startOf({ listen }: PostgresOptions): string {
  const listening = listen.length === 0 ? {} : { listen_addresses: `localhost,${listen.join(",")}` };
  const settings = { ...listening, hba_file: RULES };
  const options = Object.entries(settings).map(([name, value]) => `-o "-c ${name}=${value}"`);
  return `/usr/bin/pg_ctlcluster --skip-systemctl-redirect ${options.join(" ")} %i start`;
}

/** What the database server needs once. Its configuration is the distribution's but for addresses, if any, and rules. */
export function serverResources(view: ServerView): readonly Declared[] {
  const options = optionsOf(view);
  const { unit: name, config } = placesOf(options);
  return [
    directory({ path: "/etc/hostwright", mode: 0o755, shared: true }),
    ...[ACCESS_FOLDER, SITES_FOLDER].map((path) => directory({ path, mode: 0o755 })),
    // The first that fits counts: each site's own say all about its role, and the distribution's about everybody else.
    postgresAccess(RULES, [`include_dir ${SITES_FOLDER}`, `include ${config}/pg_hba.conf`]),
    ...unitDropIn(name, ["[Unit]", ...AFTER_NETWORK, "[Service]", "ExecStart=", `ExecStart=${startOf(options)}`]),
    // Debian makes the unit of each cluster at boot, as part of the one for all.
    unit({ name: "postgresql.service", enabled: true, active: true, shared: true }),
    unit({ name, enabled: true, active: true }),
  ];
}
