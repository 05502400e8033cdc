import { AFTER_NETWORK, directory, unit, unitDropIn, type Declared, type ServerView } from "@hostwright/core";
import { ACCESS_FOLDER, postgresAccess } from "./access-type.ts";
import { placesOf, type PostgresOptions } from "./options.ts";

export const SITES_FOLDER: string = `${ACCESS_FOLDER}/sites`;

/**
 * The cluster's settings as Debian's own starter takes them: its folder in /etc belongs to postgres, where root writes
 * nothing. The lists were parsed: nothing in them needs quoting.
 */
function startOf({ listen }: PostgresOptions, access: string): string {
  const settings = { listen_addresses: `localhost,${listen.join(",")}`, hba_file: access };
  const options = Object.entries(settings).map(([name, value]) => `-o "-c ${name}=${value}"`);
  return `/usr/bin/pg_ctlcluster --skip-systemctl-redirect ${options.join(" ")} %i start`;
}

/** What the database server needs once; without `listen` its configuration is the distribution's alone. */
export function serverResources(view: ServerView): readonly Declared[] {
  const options = view.service.options as PostgresOptions;
  const { unit: name, config } = placesOf(options);
  // Debian makes the unit of each cluster at boot, as part of the one for all.
  const running = [
    unit({ name: "postgresql.service", enabled: true, active: true, shared: true }),
    unit({ name, enabled: true, active: true }),
  ];
  if (options.listen.length === 0) return running;
  const access = `${ACCESS_FOLDER}/rules.conf`;
  return [
    directory({ path: "/etc/hostwright", mode: 0o755, shared: true }),
    ...[ACCESS_FOLDER, SITES_FOLDER].map((path) => directory({ path, mode: 0o755 })),
    // The distribution's rules come first, then each site's own.
    postgresAccess(access, [`include ${config}/pg_hba.conf`, `include_dir ${SITES_FOLDER}`]),
    ...unitDropIn(name, [
      "[Unit]",
      ...AFTER_NETWORK,
      "[Service]",
      "ExecStart=",
      `ExecStart=${startOf(options, access)}`,
    ]),
    ...running,
  ];
}
