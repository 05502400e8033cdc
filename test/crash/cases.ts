import {
  deleteSite,
  disable,
  enable,
  loginLink,
  prepare,
  switchHttp,
  verify,
  type Hostwright,
  type InstallRequest,
  type SiteRecord,
  type TaskRequest,
} from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { offerPackages } from "../support/local-repository.ts";
import { FIRST, type LivingServer } from "../support/living-server.ts";
import { SITE } from "./snapshot.ts";

/** One task that workers die of. A new task type joins by an entry of its own in `CASES`. */
export interface CrashCase {
  readonly name: string;
  /** Of the request, as it is registered in core's tasks. */
  readonly type: TaskRequest["type"];
  readonly request: TaskRequest;
  /** Brings the server into the state before the task, whatever an earlier try left: as it was, or as it is after it. */
  arrange(living: LivingServer): Promise<void>;
  /** What it made stays when it is undone, as its docstring says. Default false. */
  readonly stays?: boolean;
}

const INSTALL: InstallRequest = { type: "site:install", domain: SITE, platform: "wordpress" };
const PLATFORM = "second";
const PACKAGE = "php8.4-intl";
const BY_HAND = String.raw`by_hand() { for file; do grep -q '^# by hand' "$file" || echo '# by hand' >> "$file"; done; }`;
const DRIFT_OF_SERVER = `${BY_HAND}
  chmod 0700 /srv/platforms
  by_hand /etc/nginx/conf.d/hostwright.conf /etc/systemd/system/nginx.service.d/hostwright.conf`;

export const CASES: readonly CrashCase[] = [
  { name: "install", type: "site:install", request: INSTALL, arrange: withoutSite },
  { name: "delete", type: "site:delete", request: deleteSite(SITE), arrange: withSite },
  {
    name: "disable",
    type: "site:disable",
    request: disable(SITE),
    arrange: async (living) => withSite(living, true),
  },
  {
    name: "enable",
    type: "site:enable",
    request: enable(SITE),
    arrange: async (living) => withSite(living, false),
  },
  {
    name: "verify a site with drift",
    type: "alias:verify",
    request: verify(SITE),
    arrange: async (living) => {
      await driftSite(living);
    },
  },
  {
    name: "verify a server with drift",
    type: "alias:verify",
    request: verify("web1"),
    arrange: async (living) => {
      await driftSite(living);
      await living.host.sh(DRIFT_OF_SERVER);
    },
  },
  {
    name: "publish a platform",
    type: "alias:verify",
    request: verify(PLATFORM),
    arrange: async ({ hw, host, codebases }) => {
      if (!(await hw.platforms.list()).some(({ name }) => name === PLATFORM)) {
        const source = { path: codebases["6.1"] };
        await hw.platforms.put({ name: PLATFORM, server: "web1", type: wordpress.platform(), source });
        await hw.run(verify(PLATFORM));
      }
      await host.sh(`rm -rf /srv/platforms/${PLATFORM}`);
    },
  },
  {
    name: "prepare a server",
    type: "server:prepare",
    request: prepare("web1"),
    arrange: async ({ host }) => {
      const known = (await host.exec(["test", "-e", "/root/repo"])).code === 0;
      // Once as apt leaves it: its lists and logs are there afterwards, as on every server.
      if (!known) await offerPackages(host, [PACKAGE]);
      await host.sh(`${known ? "" : `apt-get -q update; apt-get -q -y install ${PACKAGE};`} dpkg --purge ${PACKAGE}`);
    },
    stays: true,
  },
  {
    name: "switch the web server",
    type: "server:switch-http",
    request: switchHttp("web1", "apache"),
    arrange: async ({ hw }) => {
      const rest = [phpFpm.service({ version: "8.4" }), mysql.service()];
      await hw.servers.put({ name: "web1", services: [nginx.service(), apache.service({}, "apache"), ...rest] });
      await hw.run(switchHttp("web1", "http"));
    },
  },
  { name: "login link", type: "site:login-link", request: loginLink(FIRST), arrange: async () => undefined },
];

/** Ends every trace of a case, for the next one. */
export async function settle(living: LivingServer): Promise<void> {
  await withoutSite(living);
  await living.hw.run(verify("web1"));
}

async function withoutSite({ hw }: LivingServer): Promise<void> {
  if ((await siteOf(hw)) !== undefined) await hw.run(deleteSite(SITE));
}

async function withSite({ hw }: LivingServer, enabled = true): Promise<void> {
  const site = await siteOf(hw);
  if (site === undefined) await hw.run(INSTALL);
  if ((site?.enabled ?? true) !== enabled) await hw.run(enabled ? enable(SITE) : disable(SITE));
}

async function siteOf(hw: Hostwright): Promise<SiteRecord | undefined> {
  return (await hw.sites.list()).find(({ domain }) => domain === SITE);
}

/** Of modes, contents and units; the same however often it is done. */
async function driftSite(living: LivingServer): Promise<void> {
  await withSite(living);
  const id = (await siteOf(living.hw))?.id ?? "";
  await living.host.sh(`${BY_HAND}
    chmod 0755 /srv/sites/${id}/private
    by_hand /etc/hostwright/php/${id}.conf /etc/hostwright/nginx/entries/${id}.conf /etc/hostwright/nginx/current/${id}.conf
    systemctl stop hostwright-php-${id}.socket hostwright-php-${id}.service`);
}
