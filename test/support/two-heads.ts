import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cluster, createHostwright, install, verify, type Hostwright } from "@hostwright/core";
import { mediawiki } from "@hostwright/platform-mediawiki";
import { staticSite } from "@hostwright/platform-static";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { mediawikiCodebase } from "../hosts/codebases.ts";
import { startHosts, type HostSpec, type TestHost } from "../hosts/hosts.ts";
import { connect } from "./fleet.ts";
import { Gate } from "./gate.ts";
import { page, type Answer } from "./page.ts";

export const WIKI = "wiki.example.com";
export const FILES = "files.example.com";
/** Its two web heads, in their order. */
export const HEADS = ["web1", "web2"] as const;

/** Two web heads, nginx on one and Apache on the other, as the cluster `web`; and databases on a third host and on the first head. */
export interface TwoHeads extends AsyncDisposable {
  readonly hw: Hostwright;
  readonly heads: readonly TestHost[];
  readonly database: TestHost;
  readonly gate: Gate;
  /** What each head answers. */
  ask(domain: string, path: string): Promise<readonly Answer[]>;
}

export async function startTwoHeads(spec: Partial<HostSpec> = {}): Promise<TwoHeads> {
  const code = await mediawikiCodebase();
  const hosts = await startHosts([
    { name: "web1", services: ["mariadb"], ...spec },
    { name: "web2", ...spec },
    { name: "db1", services: ["mariadb"] },
  ]);
  const folder = await mkdtemp(join(tmpdir(), "hostwright-heads-"));
  const gate = new Gate();
  const plugins = [nginx, apache, phpFpm, mysql, mediawiki, staticSite];
  const hw = await createHostwright({ stateDir: join(folder, "state"), plugins, provide: [gate.provider] });
  await mkdir(join(folder, "files"));
  await writeFile(join(folder, "files/index.html"), "<title>Front</title>");

  const php = phpFpm.service({ version: "8.4" });
  const [first, second, database] = [hosts.host("web1"), hosts.host("web2"), hosts.host("db1")];
  const stored = (host: TestHost): ReturnType<typeof mysql.service> => mysql.service({ listen: [host.address] });
  // Each has both web servers; `http` is another one on each.
  const web1 = [nginx.service(), apache.service({}, "other"), php, stored(first)];
  const web2 = [apache.service(), nginx.service({}, "other"), php];
  await hw.servers.put({ name: "web1", connect: connect(first), services: web1 });
  await hw.servers.put({ name: "web2", connect: connect(second), services: web2 });
  await hw.servers.put({ name: "db1", connect: connect(database), services: [stored(database)] });
  await hw.servers.put({ name: "web", connect: cluster(...HEADS) });
  await hw.platforms.put({ name: "wiki", server: "web", type: mediawiki.platform(), source: { path: code } });
  const files = { path: join(folder, "files") };
  await hw.platforms.put({ name: "files", server: "web", type: staticSite.platform(), source: files });
  // Debian's stock sites answer for names that nobody has.
  await first.sh("rm /etc/nginx/sites-enabled/default");
  await second.sh("rm /etc/apache2/sites-enabled/000-default.conf");
  for (const server of ["db1", "web", "@wiki", "@files"]) await hw.run(verify(server));
  return {
    hw,
    heads: [first, second],
    database,
    gate,
    ask: async (domain, path) => Promise.all([first, second].map(async (head) => page(head, domain, path))),
    async [Symbol.asyncDispose]() {
      await hw[Symbol.asyncDispose]();
      await hosts.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function installWiki(): ReturnType<typeof install> {
  return install(WIKI, { platform: "wiki", title: "Two heads", bindings: { db: "db1" } });
}

export function installFiles(): ReturnType<typeof install> {
  return install(FILES, { platform: "files" });
}
