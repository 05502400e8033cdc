import { AFTER_NETWORK, file, unit, unitDropIn, type Declared, type ServerView } from "@hostwright/core/plugin";
import { createHash } from "node:crypto";
import { FLAVOURS } from "./flavour.ts";
import type { MysqlOptions } from "./options.ts";

/** Binds to exactly these addresses. The address list was parsed: nothing in it needs quoting. */
function renderConfig({ listen, port }: MysqlOptions): string {
  const settings = ["skip-networking = 0", `bind-address = ${listen.join(",")}`, `port = ${port}`];
  return ["# Managed by Hostwright.", "[mysqld]", ...settings, ""].join("\n");
}

/** What the database server needs once; without `listen` its configuration is the distribution's alone. */
export function serverResources(view: ServerView): readonly Declared[] {
  const options = view.service.options as MysqlOptions;
  const { unit: name, config } = FLAVOURS[options.flavour];
  const running = unit({ name, enabled: true, active: true });
  if (options.listen.length === 0) return [running];
  const content = renderConfig(options);
  // The server reads its configuration at the start only. The digest makes the unit another one whenever the configuration
  // is, so that it is seen to run with old settings and is restarted.
  const digest = createHash("sha256").update(content).digest("hex");
  return [
    file({ path: config, content }),
    ...unitDropIn(name, [`# Configuration: sha256 ${digest}`, "[Unit]", ...AFTER_NETWORK]),
    running,
  ];
}
