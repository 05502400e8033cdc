import {
  NO_OWN_RULES,
  type ServerView,
  type ServiceDefinition,
  type SiteView,
  type WebRules,
} from "@hostwright/core/plugin";
import type { TestedHost } from "./hosts/host.ts";

/**
 * A server as a service's functions see it: `serverView(serviceOf(plugin, "http"))`.
 * @param given the service's options as a person writes them; default none. What the schema refuses throws.
 * @param rest any part of the view that is to be another: facts, addresses, peers
 */
export function serverView(
  { kind, type, options }: ServiceDefinition,
  given: unknown = {},
  rest: Partial<ServerView> = {},
): ServerView {
  const service = { name: kind, kind, type, options: options.schema.parse(given) };
  return { id: "t1", name: "tested", addresses: [], services: [service], service, facts: {}, peers: [], ...rest };
}

/** What the service's facts are on a host, by their names. */
export async function readFacts(
  definition: ServiceDefinition,
  host: TestedHost,
  options: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const found: Record<string, unknown> = {};
  for (const [name, probe] of Object.entries(definition.facts(options))) {
    const { exitCode, stdout, stderr } = await host.server.run({ argv: probe.argv });
    found[name] = probe.parse({ exitCode: exitCode ?? 255, stdout: stdout.toString(), stderr });
  }
  return found;
}

/** Web rules that say nothing: a front controller and no more. */
export const NO_RULES: WebRules = {
  scripts: { frontController: "/index.php" },
  ownPaths: [],
  denied: [],
  cache: [],
};

/** A site as core would describe it, with domain, folders, user and platform of its own name; any part can be another. */
export function siteView(id: string, change: Partial<SiteView> = {}): SiteView {
  const home = `/srv/sites/${id}`;
  const root = `/srv/platforms/${id}`;
  return {
    id,
    domain: `${id}.test`,
    aliases: [`www.${id}.test`, `*.${id}.example`],
    aliasMode: "redirect",
    enabled: true,
    user: id,
    uid: 20_000,
    paths: { home, conf: `${home}/conf`, public: `${home}/public`, private: `${home}/private`, tmp: `${home}/tmp` },
    platform: { id: "p1", name: id, type: id, root, docroot: `${root}/web`, options: {} },
    options: {},
    title: "A site",
    adminEmail: "admin@example.com",
    adminUser: "admin",
    limits: { uploadMegabytes: 1, requestSeconds: 30, memoryMegabytes: 128, phpWorkers: 2 },
    binds: [],
    rules: NO_RULES,
    ownRules: NO_OWN_RULES,
    bindings: {},
    passwordFile: `${home}/conf/web-passwords`,
    runtime: { kind: "php", protocol: "fastcgi", socket: `/run/php-${id}.sock`, main: null },
    webUser: "www-data",
    secret: (name, label) => ({ ref: "secret", id: `site/${id}/${name}`, label }),
    ...change,
  };
}
