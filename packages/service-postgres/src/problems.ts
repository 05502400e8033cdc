import { notInstalled, problemIf, undeclaredListening, type Problem, type ServerView } from "@hostwright/core/plugin";
import type { Exposure } from "./facts.ts";
import { optionsOf, placesOf } from "./options.ts";
import { RULES } from "./server.ts";

/** What the facts tell against putting sites on this database server. */
export function problems(view: ServerView): readonly Problem[] {
  const options = optionsOf(view);
  const { version, listen } = options;
  const { unit, config } = placesOf(options);
  if ((view.facts["version"] ?? null) === null) {
    return [notInstalled(`PostgreSQL ${version}`, [`postgresql-${version}`])];
  }
  const exposure = (view.facts["exposure"] ?? null) as Exposure | null;
  if (exposure === null) {
    const message = `PostgreSQL does not answer the user postgres on port ${options.port}`;
    return [{ message, remedy: `Run \`systemctl start ${unit}\`. Keep \`local all postgres peer\` in pg_hba.conf.` }];
  }
  const stock = `${config}/pg_hba.conf`;
  return [
    ...problemIf(
      ![stock, RULES].includes(exposure.rules),
      `its rules of access are in ${exposure.rules}, which would no longer count`,
      `Write \`include ${exposure.rules}\` into ${stock}, and let hba_file be that one.`,
    ),
    ...undeclaredListening(view, listen, exposure.listens, "listen_addresses = 'localhost'"),
    ...exposure.trusted.map((line) => ({
      message: `anybody may log in over the network without a password (${stock}, ${line})`,
      remedy: "Change `trust` to `scram-sha-256` there, then run `systemctl reload postgresql`.",
    })),
  ];
}
