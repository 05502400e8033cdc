import { CONTRACT, defineDatabaseService, HostwrightError, RANK, runChecked, unit } from "@hostwright/core/plugin";
import type { ResourceType, ServicePlugin } from "@hostwright/core/plugin";
import * as z from "zod";

const Options = z.strictObject({});

interface Spec {
  /** Name of the database and of the role that owns it. */
  readonly name: string;
}

interface State {
  readonly owner: string;
}

// Fixed programs: data goes by arguments, which psql quotes (`:'name'`, `:"name"`).
const READ = `
list=$(printf '%s\\n' "$@")
runuser -u postgres -- psql -XqAtF ' ' -c 'SELECT datname, pg_get_userbyid(datdba) FROM pg_database' | while read -r name owner; do
  printf '%s\\n' "$list" | grep -qxF -- "$name" && echo "$name $owner"
done
exit 0
`;
const APPLY = `
while [ $# -gt 0 ]; do
  if [ "$1" = make ]; then sql='CREATE ROLE :"name" LOGIN; CREATE DATABASE :"name" OWNER :"name"; REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC'
  else sql='DROP DATABASE :"name"; DROP ROLE :"name"'; fi
  printf '%s;\\n' "$sql" | sed 's/; /;\\n/g' | runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 -v name="$2" || { echo "$2"; exit 9; }
  shift 2
done
`;

/** A resource type: core diffs, orders, journals and undoes what it reads and applies. */
export const postgresDatabase: ResourceType<Spec, State> = {
  name: "example-postgres-database",
  schema: z.strictObject({ name: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/) }),
  rank: RANK.database,
  removal: "clean-up",
  key: (spec) => spec.name,
  desired: (spec) => ({ owner: spec.name }),
  async read({ server, signal }, keys) {
    if (keys.length === 0) return new Map();
    const { stdout } = await runChecked(server, { script: READ, args: keys, signal });
    const rows = stdout
      .toString("utf8")
      .split("\n")
      .filter((line) => line !== "");
    return new Map(rows.map((row) => row.split(" ")).map(([name = "", owner = ""]) => [name, { owner }]));
  },
  identity: (state) => state,
  async apply(target, changes) {
    const args = changes.flatMap(({ key, after }) => [after === null ? "drop" : "make", key]);
    // Making what is there, or dropping what is not, fails in the database itself: that is the compare-and-set.
    const result = await target.mutate({ script: APPLY, args });
    if (result.exitCode === 0) return;
    const key = result.stdout.toString("utf8").trim();
    const { name: server } = target.server;
    throw new HostwrightError("HW_RESOURCE_CHANGED", `Database ${key} on ${server} could not be changed.`, {
      server,
      output: result.stderr,
    });
  },
  showSpec: (spec) => `owner: ${spec.name}`,
  showState: (state) => `owner: ${state.owner}`,
};

/** PostgreSQL on the web server itself: the site's unix user is its role, so that no password is needed. */
export const examplePostgres: ServicePlugin<z.input<typeof Options>> = defineDatabaseService({
  name: "example-postgres",
  contract: CONTRACT,
  type: "example-postgres",
  options: { version: 1, schema: Options },
  packages: () => ["postgresql"],
  facts: () => ({}),
  problems: () => [],
  resourceTypes: [postgresDatabase],
  role: {
    protocol: "postgres",
    server: () => [unit({ name: "postgresql.service", enabled: true, active: true })],
    site: ({ siteId }) => [{ type: postgresDatabase.name, spec: { name: siteId } }],
    binding({ siteId, password }, _server, fromAddress) {
      const login = { protocol: "postgres", name: siteId, user: siteId, password };
      if (fromAddress === null)
        return { ...login, host: "localhost", port: null, socket: "/run/postgresql/.s.PGSQL.5432" };
      throw new HostwrightError(
        "HW_PREREQUISITE_MISSING",
        "This example serves sites of its own machine only. Nothing was changed.",
      );
    },
  },
});
