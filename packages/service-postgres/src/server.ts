import { directory, file, unit, type Declared, type ServerView } from "@hostwright/core";
import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { postgresAccess } from "./access-type.ts";
import { placesOf, type PostgresOptions } from "./options.ts";

/** Listens there too. The list was parsed: nothing in it needs quoting. */
export function renderConfig({ listen }: Pick<PostgresOptions, "listen">, access: string): string {
  return [
    "# Managed by Hostwright.",
    `listen_addresses = 'localhost,${listen.join(",")}'`,
    `hba_file = '${access}'`,
    "",
  ].join("\n");
}

/** The distribution's rules, and behind them each web head: a role from there reaches the database of its own name only. */
export function renderAccess(config: string, peers: readonly string[]): string {
  const heads = [...new Set(peers)].toSorted().map((peer) => {
    const family = isIP(peer);
    return `host sameuser all ${family === 0 ? peer : `${peer}/${family === 4 ? 32 : 128}`} scram-sha-256`;
  });
  return ["# Managed by Hostwright.", `include ${config}/pg_hba.conf`, ...heads, ""].join("\n");
}

/** The server listens anew after a restart only: the digest makes its unit another one, so that it is restarted. */
export function renderDropIn(config: string): string {
  const digest = createHash("sha256").update(config).digest("hex");
  return [
    "# Managed by Hostwright.",
    `# Configuration: sha256 ${digest}`,
    "[Unit]",
    // An address that is not there yet cannot be bound: the server would not come up after a boot.
    "Wants=network-online.target",
    "After=network-online.target",
    "",
  ].join("\n");
}

/** What the database server needs once; without `listen` its configuration is the distribution's alone. */
export function serverResources(view: ServerView): readonly Declared[] {
  const options = view.service.options as PostgresOptions;
  const { unit: name, config: folder } = placesOf(options);
  // Debian's generator makes the cluster's unit at boot, wanted by the one that is enabled.
  const running = [
    unit({ name: "postgresql.service", enabled: true, active: true, shared: true }),
    unit({ name, enabled: false, active: true }),
  ];
  if (options.listen.length === 0) return running;
  const access = `/etc/hostwright/postgres-${options.version}-${options.cluster}.conf`;
  const config = renderConfig(options, access);
  const dropIns = `/etc/systemd/system/${name}.d`;
  return [
    directory({ path: "/etc/hostwright", mode: 0o755, shared: true }),
    postgresAccess({ path: access, unit: name, content: renderAccess(folder, view.peers) }),
    file({ path: `${folder}/conf.d/90-hostwright.conf`, content: config }),
    directory({ path: dropIns, shared: true }),
    file({ path: `${dropIns}/hostwright.conf`, content: renderDropIn(config) }),
    ...running,
  ];
}
