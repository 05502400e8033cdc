import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Needs } from "../contracts/platform.ts";
import type { SiteDeclaration } from "../contracts/plugin.ts";
import type { SiteLimits } from "../contracts/views.ts";
import type { RunStep } from "../contracts/steps.ts";
import { KindName } from "../model/kind-name.ts";
import { parseInput } from "../model/parse.ts";
import type { Secret } from "../model/secret.ts";
import { SiteLimitsSchema, type PlatformRecord, type ServicePlace, type SiteRecord } from "../model/records.ts";
import { Domain, ofSite, SecretValue, type OfSite } from "./inputs.ts";
import { LOGIN_LINK, loginLinkStep } from "./login-link.ts";
import { requireCode } from "./code-needed.ts";
import { refuseServed, refuseOther, refuseTaken } from "./taken-names.ts";
import { chooseService } from "./choose-service.ts";
import { placementsOf, platformSteps, publishedRecord } from "./platform-steps.ts";
import { refuseProblems } from "./prerequisites.ts";
import { serverSteps, servingSet } from "./server-steps.ts";
import { newSite } from "./site-change.ts";
import { serversOf, siteParts } from "./site-parts.ts";
import { applicationHead, probeSteps, siteCommandStep, siteSteps, type ApplicationHead } from "./site-steps.ts";
import type { TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import type { Members, Planning } from "../contracts/planning.ts";

const TITLE_CHARACTERS = 200;
const Title = z
  .string()
  .trim()
  .min(1)
  .max(TITLE_CHARACTERS)
  .refine((title) => !/\p{Cc}/u.test(title), "a title of one line, without control characters");
/** At most what a mail address may have at all, which applications store. */
const AdminEmail = z.email("a mail address such as admin@example.com").max(254);

const input: z.ZodType<Request> = z.strictObject({
  domain: Domain,
  platform: z.string().min(1),
  options: z.strictObject({ type: z.string(), options: z.unknown() }).optional(),
  aliases: z.array(Domain).max(200).readonly().default([]),
  aliasMode: z.enum(["redirect", "serve"]).default("redirect"),
  bindings: z.record(KindName, z.string()).default({}),
  title: Title.optional(),
  adminEmail: AdminEmail.optional(),
  adminUser: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/)
    .default("admin"),
  limits: SiteLimitsSchema.prefault({}),
});

const value: z.ZodType<InstallValue> = ofSite.extend({
  url: z.string(),
  platform: z.string(),
  version: z.string(),
  loginLink: SecretValue.exactOptional(),
  loginLinkExpires: z.iso.datetime().exactOptional(),
});

export interface InstallOptions {
  /** Name or id of the platform; its server serves the site. */
  readonly platform: string;
  /** Options of the platform's type: `drupal.site({ profile: "standard" })`. */
  readonly options?: SiteDeclaration;
  /** Further domains, at most 200; default none. */
  readonly aliases?: readonly string[];
  /** What a visitor of an alias gets; default `redirect` to the main domain. */
  readonly aliasMode?: "redirect" | "serve";
  /**
   * The services that the site uses, by kind: `{ db: "db1", cache: "db1:redis" }`, a server or `server:service`. Default, of
   * each that its platform needs: the web server's own, else the only one that fits; of what it may have: none.
   */
  readonly bindings?: Readonly<Record<string, string>>;
  /** Default: the domain. */
  readonly title?: string;
  /** Default: `admin@<domain>`. */
  readonly adminEmail?: string;
  /** Letters, digits, `.`, `_` and `-`, at most 60; default `admin`. */
  readonly adminUser?: string;
  /** Default: uploads of 64 MiB, requests of 60 s, 256 MiB for each of 5 PHP workers. */
  readonly limits?: Partial<SiteLimits>;
}

/** As parsed: with its defaults. */
interface Request {
  readonly domain: string;
  readonly platform: string;
  readonly options?: SiteDeclaration | undefined;
  readonly aliases: readonly string[];
  readonly aliasMode: "redirect" | "serve";
  readonly bindings: Readonly<Record<string, string>>;
  readonly title?: string | undefined;
  readonly adminEmail?: string | undefined;
  readonly adminUser: string;
  readonly limits: SiteLimits;
}

export interface InstallValue extends OfSite {
  /** Of its front page, with a slash at the end. */
  readonly url: string;
  /** Name of the platform. */
  readonly platform: string;
  /** Of the application. */
  readonly version: string;
  /** Logs the administrator in, once; only from the task that made the site. */
  readonly loginLink?: Secret;
  /** When it ends: ISO 8601, UTC. */
  readonly loginLinkExpires?: string;
}

export const installSite: TaskType<[domain: string, options: InstallOptions], Request, InstallValue> = defineTask({
  type: "site:install",
  version: 2,
  input,
  value,
  request: (domain, options) => ({ domain, ...options }),
  title: ({ domain, platform }) => `install ${domain} on ${platform}`,
  subject: ({ domain, aliases, platform }) => ({ site: domain, aliases, platform }),
  migrate: ({ database, ...former }) =>
    database === undefined ? former : { ...former, bindings: { db: database, ...(former["bindings"] as object) } },
  plan: planInstall,
});

/**
 * Asks for a new site on a platform; its domain is a host name, turned into lower-case A-labels. The value is `{ site,
 * domain, url, platform, version, loginLink, loginLinkExpires }`: the link is a `Secret`, good once and for 15 minutes.
 * Planned again for a finished site, it gives an empty plan. @throws when given: HW_DOMAIN_INVALID,
 * HW_DOMAIN_RESERVED; when planned: HW_DOMAIN_TAKEN, HW_NAME_TAKEN, HW_PREREQUISITE_MISSING, HW_SERVICE_MISSING,
 * HW_SERVICE_UNFIT, HW_PLATFORM_INVALID; when run: HW_INSTALLER_FAILED, HW_COMMAND_TIMEOUT, HW_PROBE_FAILED,
 * HW_HTTP_CONFIG_REFUSED ...
 */
export function install(domain: string, options: InstallOptions): TaskRequest<InstallValue> {
  return installSite.request(domain, options);
}

async function planInstall(context: Planning, request: Request): Promise<TaskDraft<InstallValue>> {
  const { inventory } = context;
  const { domain } = request;
  const aliases = [...new Set(request.aliases)].filter((alias) => alias !== domain);
  const platform = inventory.platform(request.platform);
  const heads = placementsOf(context, platform);
  const names = [domain, ...aliases];
  const draft = await context.drawnSite();
  const holder = await inventory.findSite(domain);
  const known = holder?.domain === domain ? holder : undefined;
  const wanted =
    known === undefined
      ? wantedSite(context, request, { domain, aliases, platform, heads })
      : refuseOther(known, draft, platform, aliases);
  await refuseTaken(context, names, known?.id);

  // A record that nobody can read is refused by it, before anything is taken from it.
  if (known !== undefined) inventory.siteDefinition(known);
  await Promise.all(heads.map(async (head) => context.facts(head, { taken: true })));
  for (const head of heads) {
    const { servedNames } = await context.facts(head, { taken: true });
    const { role } = inventory.service(head, "http", wanted.bindings.http.service);
    if (known === undefined) refuseServed(servedNames, names, head, role);
  }
  const servers = [...new Map([...serversOf(context, wanted), ...heads].map((server) => [server.id, server])).values()];
  await refuseProblems(context, servers);
  if (known === undefined) await requireCode(context, platform, { heads, options: wanted.options });

  const { steps: releases, release } = await platformSteps(context, platform);
  // Only what was not refused so far uses up a unix id: none is given out twice (decisions.md D23).
  const site = known ?? draft ?? (await context.drawSite(wanted));
  const parts = await siteParts(context, site);
  const { before, publish } = siteSteps(parts);
  const prepared = await Promise.all(servers.map(async (server) => serverSteps(context, server)));
  const first = known === undefined;
  const needed = [
    { kind: "platform" as const, id: platform.id },
    ...servers.map(({ id }) => ({ kind: "server" as const, id })),
  ];
  const made = first ? newSite(context, site, needed) : null;
  const application = first ? applicationHead(parts) : null;
  return {
    title: `install ${domain} on ${platform.name}`,
    about: [`site/${site.id}`],
    steps: [
      ...prepared.flat(),
      ...releases,
      ...before,
      ...(application === null ? [] : [installerStep(application)]),
      ...publish,
      ...probeSteps(parts, first ? "always" : "changed"),
      ...(application === null
        ? []
        : [loginLinkStep(application, "clean-up", { ref: "output", step: INSTALLER, name: "loginLink" })]),
    ],
    ...(application === null ? {} : { outputs: LOGIN_LINK }),
    ...(first ? { sets: heads.map((head) => servingSet(context, head)) } : {}),
    ...made,
    commit: {
      put: [...(made?.commit.put ?? []), ...publishedRecord(context, platform, release)],
      deleteRecords: [],
    },
    value: { site: site.id, domain, url: `http://${domain}/`, platform: platform.name, version: release.version },
  };
}

const INSTALLER = "installer";

function installerStep(head: ApplicationHead): RunStep {
  return { ...siteCommandStep(head, "installer", head.application.install(head.view)), id: INSTALLER };
}

function wantedSite(
  context: Planning,
  request: Request,
  given: {
    domain: string;
    aliases: readonly string[];
    platform: PlatformRecord;
    heads: Members;
  },
): Omit<SiteRecord, "id" | "uid" | "status"> {
  const { inventory } = context;
  const { platform, heads } = given;
  const definition = inventory.platformDefinition(platform);
  if (request.options !== undefined && request.options.type !== platform.type) {
    throw new HostwrightError(
      "HW_INPUT_INVALID",
      `options are for ${request.options.type}, but ${platform.name} is ${platform.type}. Nothing was changed.`,
    );
  }
  const options = parseInput(
    definition.siteOptions.schema,
    request.options?.options ?? {},
    `options of ${given.domain}`,
  );
  return {
    domain: given.domain,
    aliases: given.aliases,
    aliasMode: request.aliasMode,
    enabled: true,
    platform: platform.id,
    bindings: {
      http: { service: servingHttp(context, heads) },
      ...chosenServices(context, request, { needs: definition.role.needs ?? {}, platform, heads }),
    },
    title: request.title ?? given.domain.slice(0, TITLE_CHARACTERS),
    adminEmail: request.adminEmail ?? defaultEmail(given.domain),
    adminUser: request.adminUser,
    options,
    optionsVersion: definition.siteOptions.version,
    limits: request.limits,
  };
}

/** Name of the http service that serves, on each head. @throws HW_SERVICE_MISSING */
function servingHttp({ inventory }: Planning, [first, ...others]: Members): string {
  const { record } = inventory.service(first, "http");
  for (const head of others) {
    if (inventory.service(head, "http", record.name).serves) continue;
    throw new HostwrightError(
      "HW_SERVICE_MISSING",
      `The http service "${record.name}" serves on ${first.name}, and waits for a switch on ${head.name}. Nothing was changed.`,
      { server: head.name, remedy: "Have both serve by a service of one name: switchHttp." },
    );
  }
  return record.name;
}

/** What the platform needs, and what was asked for. */
function chosenServices(
  context: Planning,
  { bindings }: Request,
  { needs, platform, heads }: { needs: Needs; platform: PlatformRecord; heads: Members },
): Readonly<Record<string, ServicePlace>> {
  const kinds = [...new Set([...Object.keys(needs), ...Object.keys(bindings)])];
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const place = chooseService(context, { kind, wanted: bindings[kind], need: needs[kind], platform, heads });
      return place === null ? [] : [[kind, place]];
    }),
  );
}

/** What is derived is judged as what is given. @throws HW_INPUT_INVALID for a domain too long to have a mail address */
function defaultEmail(domain: string): string {
  return parseInput(AdminEmail, `admin@${domain}`, `install ${domain}: adminEmail, by default admin@ its domain`);
}
