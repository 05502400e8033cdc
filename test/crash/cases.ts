import {
  configure,
  deletePlatform,
  deleteSite,
  disable,
  enable,
  loginLink,
  moveDatabase,
  prepare,
  switchHttp,
  takeOver,
  verify,
  type ConfigureOptions,
  type TaskRequest,
} from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { offerPackages } from "../support/local-repository.ts";
import { FIRST, type LivingServer } from "../support/living-server.ts";
import {
  BY_HAND,
  configured,
  driftSite,
  heldByAnother,
  installOn,
  OTHER_HOST,
  servedBy,
  withDatabaseOn,
  withoutSite,
  withSite,
} from "./arrangements.ts";
import { DELETED, SITE } from "./snapshot.ts";

/** One task that workers die of. A new task type joins by an entry of its own in `CASES`. */
export interface CrashCase {
  readonly name: string;
  /** Of the request, as it is registered in core's tasks. */
  readonly type: TaskRequest["type"];
  readonly request: TaskRequest;
  /** Brings the server into the state before the task, whatever an earlier try left: as it was, or as it is after it. */
  arrange(living: LivingServer): Promise<unknown>;
  /** What it made stays when it is undone, as its docstring says. Default false. */
  readonly stays?: boolean;
  /** Where it was taken back nothing else can be done on the server, so that it is drawn with no other. Default false. */
  readonly alone?: boolean;
  /** It changes the second host as well, which is looked at too. Default false. */
  readonly twoHosts?: boolean;
}

const PLATFORM = "second";
const PACKAGE = "php8.4-intl";
const DRIFT_OF_SERVER = `${BY_HAND}
  chmod 0700 /srv/platforms
  by_hand /etc/nginx/conf.d/hostwright.conf /etc/systemd/system/nginx.service.d/hostwright.conf`;

export const RULED: ConfigureOptions = {
  webRules: {
    redirects: [{ from: { prefix: "/blog/" }, to: "/", status: 308 }],
    headers: [{ name: "X-Own", value: "yes" }],
    denied: [{ prefix: "/wp-includes/css/" }],
    allowFrom: ["10.213.0.0/16"],
    basicAuth: { realm: "Members", users: ["anna"] },
  },
  bindings: { cache: "web1:redis" },
};
export const HEADED: ConfigureOptions = { webRules: { headers: [{ name: "X-Own", value: "yes" }] } };
export const UNRULED: ConfigureOptions = {
  webRules: { redirects: [], headers: [], denied: [], allowFrom: [], basicAuth: null },
  bindings: { cache: null },
};

export const CASES: readonly CrashCase[] = [
  { name: "install", type: "site:install", request: installOn("wordpress"), arrange: withoutSite },
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
    arrange: driftSite,
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
    name: "delete a platform",
    type: "platform:delete",
    request: deletePlatform(DELETED),
    arrange: async ({ hw, codebases }) => {
      if ((await hw.platforms.list()).some(({ name }) => name === DELETED)) return;
      const source = { path: codebases["6.1"] };
      await hw.platforms.put({ name: DELETED, server: "web1", type: wordpress.platform(), source });
      await hw.run(verify(DELETED));
    },
  },
  {
    name: "switch the web server",
    type: "server:switch-http",
    request: switchHttp("web1", "apache"),
    arrange: servedBy("http"),
  },
  {
    name: "switch the web server back",
    type: "server:switch-http",
    request: switchHttp("web1", "http"),
    arrange: servedBy("apache"),
  },
  {
    name: "give a site rules and a cache",
    type: "site:configure",
    request: configure(SITE, RULED),
    arrange: configured(UNRULED, RULED),
  },
  {
    name: "take a site's rules and cache",
    type: "site:configure",
    request: configure(SITE, UNRULED),
    arrange: configured(RULED, UNRULED),
  },
  {
    name: "move a database",
    type: "site:move-database",
    request: moveDatabase(SITE, `${OTHER_HOST}:db`),
    arrange: withDatabaseOn("web1"),
    twoHosts: true,
  },
  {
    name: "take a server over",
    type: "server:take-over",
    request: takeOver("web1"),
    arrange: heldByAnother,
    alone: true,
  },
  ...(["pair", "files"] as const).flatMap((platform): readonly CrashCase[] => {
    const what = platform === "pair" ? "a site" : "files";
    const common = { arrange: async (living: LivingServer) => withSite(living, true, platform), twoHosts: true };
    return [
      {
        ...common,
        name: `install ${what} on two heads`,
        type: "site:install",
        request: installOn(platform),
        arrange: withoutSite,
      },
      { ...common, name: `disable ${what} on two heads`, type: "site:disable", request: disable(SITE) },
      { ...common, name: `delete ${what} on two heads`, type: "site:delete", request: deleteSite(SITE) },
    ];
  }),
  {
    name: "configure files on two heads",
    type: "site:configure",
    request: configure(SITE, HEADED),
    arrange: async (living) => {
      const { webRules } = await withSite(living, true, "files");
      if ((webRules?.headers ?? []).length > 0) await living.hw.run(configure(SITE, { webRules: { headers: [] } }));
      else if (webRules === undefined) await living.hw.run(configure(SITE, { webRules: { redirects: [] } }));
    },
    twoHosts: true,
  },
  { name: "login link", type: "site:login-link", request: loginLink(FIRST), arrange: async () => undefined },
  // Last: where it was taken back, what the server's record needs is missing.
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
];
