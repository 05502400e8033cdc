import { loginLink, moveDatabase, verify, type TaskRequest } from "@hostwright/core";
import { BY_HAND, OTHER_HOST } from "../crash/arrangements.ts";
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
  site !== null && site.enabled && site.rules === "never" && site.database === "web1";
const enabled = ({ site }: Standing): boolean => site?.enabled === true;
const onNginx = ({ http }: Standing): boolean => http === "http";

/** What the cases of the crash matrix do to a standing. A case that is not named here fails the start. */
const CHANGES: Readonly<Record<string, Pick<Move, "to" | "fits" | "from"> & { readonly disturbs?: true }>> = {
  // Of a site that stands as it is asked for there is nothing to do.
  install: { to: (from) => (from.site === null ? { ...from, site: NEW_SITE } : from) },
  delete: { to: (from) => (from.site === null ? null : { ...from, site: null }) },
  disable: { to: ofSite({ enabled: false }), fits: plain },
  enable: { to: ofSite({ enabled: true }), fits: ({ site }) => site?.enabled === false },
  "verify a site with drift": { to: ofSite({}), fits: (from) => enabled(from) && onNginx(from), disturbs: true },
  "verify a server with drift": { to: same, fits: (from) => enabled(from) && onNginx(from), disturbs: true },
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
    fits: (from) => enabled(from) && onNginx(from) && from.site?.database === "web1" && from.site.rules !== "given",
  },
  "take a site's rules and cache": {
    to: ofSite({ rules: "taken" }),
    fits: ({ site }) => site?.enabled === true && site.rules === "given",
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
  { name: "login link of the site", request: loginLink(SITE), to: ofSite({}), fits: enabled },
];
