import {
  CONTRACT,
  defineRuntimeService,
  directory,
  file,
  unit,
  unitPath,
  type Declared,
  type RuntimeRole,
  type ServerView,
  type ServicePlugin,
  type SiteView,
} from "@hostwright/core/plugin";
import type * as z from "zod";
import { facts, problems } from "./facts.ts";
import { changeableIni, fixedIni, iniArguments } from "./limits.ts";
import { CONFIG_FOLDER, poolPath, REAPER, REAPER_SCRIPT, socketPath, unitName } from "./names.ts";
import { PhpFpmOptions } from "./options.ts";
import { renderPool } from "./pool.ts";
import { REAPER_SERVICE, REAPER_SOURCE, REAPER_TIMER } from "./reaper.ts";
import { sandbox } from "./sandbox.ts";
import { renderServiceUnit, renderSocketUnit } from "./units.ts";

const optionsOf = (server: ServerView): PhpFpmOptions => server.service.options as PhpFpmOptions;

// Alike for every release of PHP: a server may offer two.
const serverResources = (): readonly Declared[] => [
  directory({ path: "/etc/hostwright", shared: true }),
  directory({ path: CONFIG_FOLDER, shared: true }),
  directory({ path: "/usr/local/lib/hostwright", shared: true }),
  file({ path: REAPER_SCRIPT, content: REAPER_SOURCE, mode: 0o755, shared: true }),
  file({ path: unitPath(`${REAPER}.service`), content: REAPER_SERVICE, shared: true }),
  file({ path: unitPath(`${REAPER}.timer`), content: REAPER_TIMER, shared: true }),
  unit({ name: `${REAPER}.timer`, enabled: true, active: true, shared: true }),
];

function siteResources(view: SiteView, server: ServerView): readonly Declared[] {
  const options = optionsOf(server);
  const name = unitName(view.id);
  return [
    file({ path: poolPath(view.id), content: renderPool(view, options) }),
    file({ path: unitPath(`${name}.socket`), content: renderSocketUnit(view) }),
    file({ path: unitPath(`${name}.service`), content: renderServiceUnit(view, options) }),
    unit({ name: `${name}.socket`, enabled: view.enabled, active: view.enabled }),
    // Of an enabled site it runs when it is asked for, and may be stopped at any time.
    unit({ name: `${name}.service`, enabled: false, ...(view.enabled ? {} : { active: false }) }),
  ];
}

function interpreter(view: SiteView, server: ServerView): readonly string[] {
  const options = optionsOf(server);
  // Errors go to stderr, PHP's default there, and the command's own time limit holds.
  const values = { ...fixedIni(view), ...changeableIni(view, options), max_execution_time: 0, html_errors: false };
  return [`/usr/bin/php${options.version}`, ...iniArguments(values)];
}

const role: RuntimeRole = {
  protocol: "fastcgi",
  server: serverResources,
  site: siteResources,
  socket: socketPath,
  sandbox: (view, server) => sandbox(view, optionsOf(server)),
  interpreter,
};

const EXTENSIONS = ["fpm", "cli", "mysql", "pgsql", "gd", "xml", "mbstring", "curl", "zip", "intl"];

/** PHP with one socket-activated php-fpm unit per site, each as the site's own user in its own sandbox. */
export const phpFpm: ServicePlugin<z.input<typeof PhpFpmOptions>> = defineRuntimeService({
  name: "@hostwright/service-php-fpm",
  contract: CONTRACT,
  kind: "php",
  type: "php-fpm",
  options: { version: 1, schema: PhpFpmOptions },
  packages: ({ version }) => EXTENSIONS.map((extension) => `php${version}-${extension}`),
  // Debian's own master runs its stock pool as the web server's user.
  unwantedUnits: ({ version }) => [{ package: `php${version}-fpm`, unit: `php${version}-fpm.service` }],
  facts,
  problems,
  role,
});
