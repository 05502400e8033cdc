import type { Problem, ServerView } from "@hostwright/core";
import type { Exposure } from "./facts.ts";
import { placesOf, type PostgresOptions } from "./options.ts";

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost", ""]);
/** `include` in pg_hba.conf. */
const INCLUDES_SINCE = 16;

/** What the facts tell against putting sites on this database server. */
export function problems(view: ServerView): readonly Problem[] {
  const options = view.service.options as PostgresOptions;
  const { version, listen } = options;
  const { unit, config } = placesOf(options);
  if ((view.facts["version"] ?? null) === null) {
    const mend = `Run \`server prepare\`, or: apt-get install postgresql-${version}`;
    return [{ message: `PostgreSQL ${version} is not installed`, mend }];
  }
  const exposure = (view.facts["exposure"] ?? null) as Exposure | null;
  if (exposure === null) {
    const message = `PostgreSQL does not answer the user postgres on port ${options.port}`;
    return [{ message, mend: `Start it: systemctl start ${unit}. If it runs: let \`local all postgres peer\` stand.` }];
  }
  const open = exposure.listens.split(",").map((address) => address.trim());
  return [
    ...(listen.length > 0 && Number(version) < INCLUDES_SINCE
      ? [
          {
            message: `PostgreSQL ${version} cannot be given web heads on other machines: its rules have no includes`,
            mend: `Upgrade it to ${INCLUDES_SINCE} or later, or put the sites' databases on the web server.`,
          },
        ]
      : []),
    ...(listen.length === 0 && !open.every((address) => LOOPBACK.has(address))
      ? [
          {
            message: `it listens on ${exposure.listens}, though no address is declared for it`,
            mend: `If web heads need it: postgres.service({ listen: [...] }). Otherwise set listen_addresses = 'localhost' and restart ${unit}.`,
          },
        ]
      : []),
    ...exposure.trusted.map((line) => ({
      message: `anybody may log in over the network without a password (${config}/pg_hba.conf, ${line})`,
      mend: "Change `trust` to `scram-sha-256` there, then: systemctl reload postgresql",
    })),
    ...(exposure.loopback
      ? []
      : [
          {
            message: "no rule lets sites log in with a password on the loopback",
            mend: `Put \`host all all 127.0.0.1/32 scram-sha-256\` back into ${config}/pg_hba.conf and reload it.`,
          },
        ]),
  ];
}
