import { loginLink, moveDatabase, verify, type TaskRequest } from "@hostwright/core";
import { BY_HAND, OTHER_HOST, type SitePlatform } from "../crash/arrangements.ts";
import { CASES, type CrashCase } from "../crash/cases.ts";
import { SITE } from "../crash/snapshot.ts";
import { FIRST, type LivingServer } from "../support/living-server.ts";
import { NEW_SITE, type SiteStanding, type Standing } from "./standing.ts";

/** One task that workers are killed at. */
export interface Move {
  readonly name: string;
  readonly request: TaskRequest;
  /** How all stands when it succeeded; null: there it is refused, and changes nothing. */
  to(from: Standing): Standing | null;
  /** Where it is chosen to be the one that is disturbed; elsewhere it may only come later. Default: where it succeeds. */
  fits?(from: Standing): boolean;
  /** Where it begins, when that is elsewhere: undisturbed tasks go there. Default: where it is chosen. */
  from?(chosen: Standing): Standing;
  /** Harms something for it to remedy, or gives it something to do. Default: nothing. */
  prepare?(living: LivingServer): Promise<unknown>;
  /** What it made stays when it is undone. Default false. */
  readonly stays?: boolean;
  /** Where it was taken back nothing else can be done on the server, so that it is drawn with no other. Default false. */
  readonly alone?: boolean;
  /** It changes the second host as well, which is looked at too. Default false. */
  readonly twoHosts?: boolean;
}

type Change = (from: Standing) => Standing | null;

const same: Change = (from) => from;
const ofSite =
  (change: Partial<SiteStanding>): Change =>
  (from) =>
    from.site === null ? null : { ...from, site: { ...from.site, ...change } };
const plain = ({ site }: Standing): boolean =>
  site?.platform === "wordpress" && site.enabled && site.rules === "never" && site.database === "web1";
const enabled = ({ site }: Standing): boolean => site?.enabled === true;
const on =
  (platform: SitePlatform) =>
  ({ site }: Standing): boolean =>
    site?.platform === platform;
/** Of a site that stands as it is asked for there is nothing to do; of another domain's platform it is refused. */
const installed =
  (platform: SitePlatform): Change =>
  (from) => {
    if (from.site === null) return { ...from, site: { ...NEW_SITE, platform } };
    return on(platform)(from) ? from : null;
  };
const ofNone: Change = (from) => (from.site === null ? null : { ...from, site: null });
const onNginx = ({ http }: Standing): boolean => http === "http";

const drifts = (from: Standing): boolean => enabled(from) && onNginx(from) && on("wordpress")(from);

/** What the cases of the crash matrix do to a standing. A case that is not named here fails the start. */
const CHANGES: Readonly<Record<string, Pick<Move, "to" | "fits" | "from"> & { readonly disturbs?: true }>> = {
  install: { to: installed("wordpress") },
  "install a site on two heads": { to: installed("pair"), fits: (from) => onNginx(from) && from.site === null },
  "disable a site on two heads": { to: ofSite({ enabled: false }), fits: (from) => enabled(from) && on("pair")(from) },
  "delete a site on two heads": { to: ofNone, fits: on("pair") },
  "install files on two heads": { to: installed("files"), fits: (from) => onNginx(from) && from.site === null },
  "disable files on two heads": { to: ofSite({ enabled: false }), fits: (from) => enabled(from) && on("files")(from) },
  "delete files on two heads": { to: ofNone, fits: on("files") },
  "configure files on two heads": {
    to: ofSite({ rules: "given" }),
    fits: (from) => enabled(from) && on("files")(from) && from.site?.rules === "never",
  },
  delete: { to: ofNone },
  disable: { to: ofSite({ enabled: false }), fits: plain },
  enable: { to: ofSite({ enabled: true }), fits: ({ site }) => site?.enabled === false },
  "verify a site with drift": { to: ofSite({}), fits: drifts, disturbs: true },
  "verify a server with drift": { to: same, fits: drifts, disturbs: true },
  "publish a platform": { to: same, disturbs: true },
  "delete a platform": { to: same, disturbs: true },
  "switch the web server": {
    to: (from) => ({ ...from, http: "apache" }),
    fits: (from) => onNginx(from) && (from.site === null || plain(from)),
  },
  "switch the web server back": { to: (from) => ({ ...from, http: "http" }), fits: (from) => !onNginx(from) },
  "give a site rules and a cache": {
    to: ofSite({ rules: "given" }),
    // They ask for a password, which a site that never had any lacks.
    from: (chosen) => ofSite({ rules: "taken" })(chosen) ?? chosen,
    fits: (from) =>
      enabled(from) &&
      onNginx(from) &&
      on("wordpress")(from) &&
      from.site?.database === "web1" &&
      from.site.rules !== "given",
  },
  "take a site's rules and cache": {
    to: ofSite({ rules: "taken" }),
    fits: (from) => enabled(from) && on("wordpress")(from) && from.site?.rules === "given",
  },
  "move a database": { to: ofSite({ database: OTHER_HOST }), fits: (from) => plain(from) && onNginx(from) },
  "login link": { to: same },
  "prepare a server": { to: same, disturbs: true },
  "take a server over": { to: same, disturbs: true },
};

/** Those of the matrix, each from where its arrangement has nothing to do but harm. */
const CASE_MOVES = CASES.map((one): Move => {
  const change = CHANGES[one.name];
  if (change === undefined) throw new Error(`the kills do not know what "${one.name}" changes: say so in moves.ts`);
  const { to, fits, from, disturbs = false } = change;
  const { name, request, stays = false, alone = false, twoHosts = false } = one satisfies CrashCase;
  return {
    name,
    request,
    to,
    stays,
    alone,
    twoHosts,
    ...(fits && { fits }),
    ...(from && { from }),
    ...(disturbs && { prepare: async (living) => one.arrange(living) }),
  };
});

const DRIFT_OF_DATABASES = `${BY_HAND}
  by_hand /etc/hostwright/postgres/rules.conf /etc/systemd/system/postgresql@*.service.d/hostwright.conf
  chmod 0700 /etc/hostwright/postgres/sites`;

export const MOVES: readonly Move[] = [
  ...CASE_MOVES,
  {
    name: "move a database back",
    request: moveDatabase(SITE, "web1:db"),
    to: ofSite({ database: "web1" }),
    fits: ({ site }) => site?.database === OTHER_HOST,
    twoHosts: true,
  },
  {
    name: "verify a database server with drift",
    request: verify(OTHER_HOST),
    to: same,
    prepare: async ({ hosts }) => hosts.host(OTHER_HOST).sh(DRIFT_OF_DATABASES),
    twoHosts: true,
  },
  { name: "verify a site", request: verify(SITE), to: ofSite({}) },
  { name: "verify the first site", request: verify(FIRST), to: same },
  { name: "verify a server", request: verify("web1"), to: same },
  {
    name: "login link of the site",
    request: loginLink(SITE),
    to: (from) => (on("files")(from) ? null : ofSite({})(from)),
    fits: (from) => enabled(from) && !on("files")(from),
  },
];
