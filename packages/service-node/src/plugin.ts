import {
  CONTRACT,
  defineRuntimeService,
  directory,
  file,
  unit,
  unitPath,
  type Declared,
  type RuntimeRole,
  type ServicePlugin,
  type SiteView,
} from "@hostwright/core/plugin";
import type * as z from "zod";
import { facts, PACKAGES, problems } from "./facts.ts";
import { LIBRARY_FOLDER, PRELOAD_PATH, PROGRAM, socketPath, unitName } from "./names.ts";
import { NodeOptions } from "./options.ts";
import { PRELOAD_SOURCE } from "./preload.ts";
import { sandbox } from "./sandbox.ts";
import { renderServiceUnit, renderSocketUnit } from "./units.ts";

function siteResources(view: SiteView): readonly Declared[] {
  const name = unitName(view.id);
  return [
    file({ path: unitPath(`${name}.socket`), content: renderSocketUnit(view) }),
    file({ path: unitPath(`${name}.service`), content: renderServiceUnit(view) }),
    unit({ name: `${name}.socket`, enabled: view.enabled, active: view.enabled }),
    // Of an enabled site it runs from its first request on.
    unit({ name: `${name}.service`, enabled: false, ...(view.enabled ? {} : { active: false }) }),
  ];
}

const role: RuntimeRole = {
  protocol: "http",
  server: () => [
    directory({ path: LIBRARY_FOLDER, shared: true }),
    file({ path: PRELOAD_PATH, content: PRELOAD_SOURCE, shared: true }),
  ],
  site: siteResources,
  socket: socketPath,
  sandbox,
  interpreter: () => [PROGRAM],
};

/** Node.js with one socket-activated program per site, each as the site's own user in its own sandbox. */
export const node: ServicePlugin<z.input<typeof NodeOptions>> = defineRuntimeService({
  name: "@hostwright/service-node",
  contract: CONTRACT,
  kind: { name: "node", version: 1, title: "Node.js", role: "runtime" },
  type: "node",
  options: { version: 1, schema: NodeOptions },
  packages: () => PACKAGES,
  facts: () => facts,
  problems,
  role,
});
