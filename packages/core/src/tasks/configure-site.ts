import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { KindName } from "../model/kind-name.ts";
import { redirectLoop } from "../model/redirect-loop.ts";
import { NO_OWN_RULES, OwnRulesSchema, type OwnRules, type OwnRulesInput } from "../model/own-rules.ts";
import type { ServerRecord, ServicePlace, SiteRecord } from "../model/records.ts";
import type { Step } from "../contracts/steps.ts";
import type { TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import type { Planning } from "../contracts/planning.ts";
import { refuseUnknown } from "./delete-site.ts";
import { chooseService } from "./choose-service.ts";
import { Name, ofSite, type OfSite, type SiteInput } from "./inputs.ts";
import { placementsOf } from "./platform-steps.ts";
import { refuseProblems } from "./prerequisites.ts";
import { activateServer, serverSteps } from "./server-steps.ts";
import { changeSite } from "./site-change.ts";
import { serversOf, siteParts, type SiteParts } from "./site-parts.ts";
import { ownerOf, probeSteps, siteSteps, webPasswordName } from "./site-steps.ts";

export interface ConfigureOptions {
  /** Only what is given changes: `{ redirects: [...] }` replaces the redirects and leaves headers as they are. */
  readonly webRules?: OwnRulesInput;
  /**
   * Of what its platform may have, by kind (`cache`): `server` or `server:service`, or null for none any longer. What was
   * kept there is not taken along. A database only comes, and moves by `moveDatabase`.
   */
  readonly bindings?: Readonly<Record<string, string | null>>;
}

export interface ConfiguredValue extends OfSite {
  /** As they are now. */
  readonly webRules: OwnRules;
}

/** As parsed: with its defaults. */
interface Input extends SiteInput {
  readonly webRules: Partial<OwnRules>;
  readonly bindings: Readonly<Record<string, string | null>>;
}

const input: z.ZodType<Input> = z.strictObject({
  site: Name,
  webRules: OwnRulesSchema.default({}),
  bindings: z.record(KindName, z.string().nullable()).default({}),
});

export const configureSite: TaskType<[site: string, options?: ConfigureOptions], Input, ConfiguredValue> = defineTask({
  type: "site:configure",
  version: 1,
  input,
  value: ofSite.extend({ webRules: OwnRulesSchema as z.ZodType<OwnRules> }),
  request: (site, options = {}) => ({ site, ...options }),
  title: ({ site }) => `configure ${site}`,
  subject: ({ site }) => ({ site }),
  plan: planConfigure,
});

/**
 * Asks for changes of a site's own web rules and bindings, and puts passwords in force that were set since. The value is
 * `{ site, domain, webRules }`, with the rules as they are then. @throws HW_NOT_FOUND and HW_INPUT_INVALID when planned: a loop, a user without
 * a password; when run: HW_PROBE_FAILED, HW_HTTP_CONFIG_REFUSED ...
 */
export function configure(site: string, options: ConfigureOptions = {}): TaskRequest<ConfiguredValue> {
  return configureSite.request(site, options);
}

async function planConfigure(context: Planning, request: Input): Promise<TaskDraft<ConfiguredValue>> {
  const site = await context.inventory.site(request.site);
  const webRules = { ...NO_OWN_RULES, ...site.webRules, ...request.webRules };
  refuseLoop(site, webRules);
  await requirePasswords(context, site, webRules);
  const changed: SiteRecord = { ...site, webRules, bindings: bindingsOf(context, site, request.bindings) };
  const parts = await siteParts(context, changed);
  const asked = Object.keys(request.bindings).flatMap((kind) => parts.backing.get(kind)?.service.server ?? []);
  const touched = [...new Map(asked.map((server) => [server.id, server])).values()];
  await refuseProblems(context, touched);
  const unbound = unboundServers(context, site, changed);
  await refuseUnknown(context, site.domain, ownerOf(parts), unbound);
  const { before, publish } = siteSteps(parts);
  return {
    title: `configure ${site.domain}`,
    about: [`site/${site.id}`],
    steps: [
      ...(await Promise.all(touched.map(async (server) => serverSteps(context, server)))).flat(),
      ...before,
      ...publish,
      ...probeSteps(parts, "changed"),
      ...unbound.flatMap((server) => [gone(parts, server), ...activateServer(context, { server }, "clean-up")]),
    ],
    commit: changeSite(context, changed),
    value: { site: site.id, domain: site.domain, webRules },
  };
}

function bindingsOf(context: Planning, site: SiteRecord, asked: Input["bindings"]): SiteRecord["bindings"] {
  const { inventory } = context;
  const platform = inventory.platform(site.platform);
  const heads = placementsOf(context, platform);
  const { needs = {} } = inventory.siteDefinition(site).role;
  const bindings: Record<string, ServicePlace | undefined> = { ...site.bindings };
  for (const [kind, wanted] of Object.entries(asked)) {
    const need = needs[kind];
    const stays =
      site.bindings[kind] !== undefined && ["database", "runtime"].includes(inventory.kind(kind)?.role ?? "");
    const isNeeded = need !== undefined && need.optional !== true;
    if (kind === "http" || stays || (wanted === null && isNeeded)) throw notConfigured(site, kind);
    if (wanted === null) delete bindings[kind];
    else bindings[kind] = chooseService(context, { kind, wanted, need, platform, heads }) ?? undefined;
  }
  return { ...bindings, http: site.bindings.http };
}

function notConfigured({ domain }: SiteRecord, kind: string): HostwrightError {
  return new HostwrightError(
    "HW_INPUT_INVALID",
    `bindings of ${domain}: its ${kind} service cannot be configured. Nothing was changed.`,
    kind === "db" ? { remedy: `Move the database: moveDatabase("${domain}", server).` } : {},
  );
}

/** Those that kept something of a kind that is bound elsewhere now, or no longer. */
function unboundServers(context: Planning, site: SiteRecord, changed: SiteRecord): readonly ServerRecord[] {
  const moved = Object.entries(site.bindings).filter(
    ([kind, place]) => JSON.stringify(changed.bindings[kind]) !== JSON.stringify(place),
  );
  return serversOf(context, { bindings: { http: site.bindings.http, ...Object.fromEntries(moved) } });
}

/** What the plan declares for the site on that server stays. */
function gone(parts: SiteParts, server: ServerRecord): Step {
  return {
    kind: "ensure",
    title: `remove what ${server.name} kept for ${parts.site.domain} and keeps no longer`,
    server,
    phase: "clean-up",
    items: [],
    remove: [{ owners: [ownerOf(parts)] }],
  };
}

function refuseLoop(site: SiteRecord, { redirects }: OwnRules): void {
  const loop = redirectLoop(redirects, [site.domain, ...site.aliases]);
  if (loop === null) return;
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `webRules of ${site.domain}: the redirect from ${JSON.stringify(loop)} leads back to where it began, or through more redirects than browsers follow. Nothing was changed.`,
  );
}

async function requirePasswords(context: Planning, site: SiteRecord, { basicAuth }: OwnRules): Promise<void> {
  for (const user of basicAuth?.users ?? []) {
    if (await context.hasSecret(`site/${site.id}/${webPasswordName(user)}`)) continue;
    throw new HostwrightError(
      "HW_INPUT_INVALID",
      `webRules of ${site.domain}: ${user} has no password. Nothing was changed.`,
      { remedy: `Set one: hw.sites.setPassword("${site.domain}", "${user}", secret(...)).` },
    );
  }
}
