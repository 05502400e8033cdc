import { notInstalled, problemIf, undeclaredListening, type Problem, type ServerView } from "@hostwright/core";
import type { Exposure } from "./facts.ts";
import { placesOf, type PostgresOptions } from "./options.ts";

/** `include` in pg_hba.conf. */
const INCLUDES_SINCE = 16;

/** What the facts tell against putting sites on this database server. */
export function problems(view: ServerView): readonly Problem[] {
  const options = view.service.options as PostgresOptions;
  const { version, listen } = options;
  const { unit, config } = placesOf(options);
  if ((view.facts["version"] ?? null) === null) {
    return [notInstalled(`PostgreSQL ${version}`, [`postgresql-${version}`])];
  }
  const exposure = (view.facts["exposure"] ?? null) as Exposure | null;
  if (exposure === null) {
    const message = `PostgreSQL does not answer the user postgres on port ${options.port}`;
    return [{ message, mend: `Start it: systemctl start ${unit}. If it runs: let \`local all postgres peer\` stand.` }];
  }
  return [
    ...problemIf(
      listen.length > 0 && Number(version) < INCLUDES_SINCE,
      `PostgreSQL ${version} cannot be given web heads on other machines: its rules have no includes`,
      `Upgrade it to ${INCLUDES_SINCE} or later, or put the sites' databases on the web server.`,
    ),
    ...undeclaredListening(view, listen, exposure.listens, "listen_addresses = 'localhost'"),
    ...exposure.trusted.map((line) => ({
      message: `anybody may log in over the network without a password (${config}/pg_hba.conf, ${line})`,
      mend: "Change `trust` to `scram-sha-256` there, then: systemctl reload postgresql",
    })),
    ...problemIf(
      !exposure.loopback,
      "no rule lets sites log in with a password on the loopback",
      `Put \`host all all 127.0.0.1/32 scram-sha-256\` back into ${config}/pg_hba.conf and reload it.`,
    ),
  ];
}
