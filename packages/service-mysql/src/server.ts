import { directory, file, unit, type Declared, type ServerView } from "@hostwright/core";
import { createHash } from "node:crypto";
import { FLAVOURS } from "./flavour.ts";
import type { MysqlOptions } from "./options.ts";

/** Binds to exactly these addresses. The address list was parsed: nothing in it needs quoting. */
export function renderConfig({ listen, port }: Pick<MysqlOptions, "listen" | "port">): string {
  return [
    "# Managed by Hostwright.",
    "[mysqld]",
    "skip-networking = 0",
    `bind-address = ${listen.join(",")}`,
    `port = ${port}`,
    "",
  ].join("\n");
}

/**
 * The server reads its configuration at the start only. The digest makes the unit another one whenever the configuration
 * is, so that it is seen to run with old settings and is restarted.
 */
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
  const options = view.service.options as MysqlOptions;
  const { unit: name, configFolder } = FLAVOURS[options.flavour];
  const running = unit({ name, enabled: true, active: true });
  if (options.listen.length === 0) return [running];
  const config = renderConfig(options);
  const folder = `/etc/systemd/system/${name}.d`;
  return [
    file({ path: `${configFolder}/90-hostwright.cnf`, content: config }),
    directory({ path: folder, shared: true }),
    file({ path: `${folder}/hostwright.conf`, content: renderDropIn(config) }),
    running,
  ];
}
