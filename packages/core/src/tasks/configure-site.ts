import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { redirectLoop } from "../model/redirect-loop.ts";
import { NO_OWN_RULES, OwnRulesSchema, type OwnRules, type OwnRulesInput } from "../model/own-rules.ts";
import type { ServicePlace, SiteRecord } from "../model/records.ts";
import type { Step } from "../contracts/steps.ts";
import type { TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import type { PlanningContext } from "../engine/planning/task-type.ts";
import { chooseCache } from "./choose-database.ts";
import { Name, ofSite, type OfSite, type SiteInput } from "./inputs.ts";
import { refuseProblems } from "./prerequisites.ts";
import { serverStep } from "./server-steps.ts";
import { changeSite } from "./site-change.ts";
import { siteParts, type SiteParts } from "./site-parts.ts";
import { ownerOf, probeStep, siteSteps, webPasswordName } from "./site-steps.ts";

export interface ConfigureOptions {
  /** Only what is given changes: `{ redirects: [...] }` replaces the redirects and leaves headers as they are. */
  readonly webRules?: OwnRulesInput;
  /** `cache`: `server` or `server:service`, or null for none any longer. What was kept in a cache is not taken along. */
  readonly bindings?: { readonly cache?: string | null };
}

export interface ConfiguredValue extends OfSite {
  /** As they are now. */
  readonly webRules: OwnRules;
}

/** As parsed: with its defaults. */
interface Input extends SiteInput {
  readonly webRules: Partial<OwnRules>;
  readonly bindings: { readonly cache?: string | null | undefined };
}

const input: z.ZodType<Input> = z.strictObject({
  site: Name,
  webRules: OwnRulesSchema.default({}),
  bindings: z.strictObject({ cache: z.string().nullable().optional() }).default({}),
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
 * Asks for other rules of a site's own, and for what was recorded of it since: passwords. The value is `{ site, domain,
 * webRules }`, the rules as they are then. @throws HW_NOT_FOUND and HW_INPUT_INVALID when planned: a loop, a user without
 * a password; when run: HW_PROBE_FAILED, HW_HTTP_CONFIG_REFUSED ...
 */
export function configure(site: string, options: ConfigureOptions = {}): TaskRequest<ConfiguredValue> {
  return configureSite.request(site, options);
}

async function planConfigure(context: PlanningContext, request: Input): Promise<TaskDraft<ConfiguredValue>> {
  const site = await context.inventory.site(request.site);
  const webRules = { ...NO_OWN_RULES, ...site.webRules, ...request.webRules };
  refuseLoop(site, webRules);
  await requirePasswords(context, site, webRules);
  const { bindings: _former, ...unbound } = site;
  const cache = cachePlace(context, site, request.bindings.cache);
  const changed: SiteRecord = { ...unbound, webRules, ...(cache === undefined ? {} : { bindings: { cache } }) };
  const parts = await siteParts(context, changed);
  await refuseProblems(
    context,
    parts.bindings.map(({ service }) => service.server),
  );
  const { before, publish } = siteSteps(context, parts);
  return {
    title: `configure ${site.domain}`,
    about: [`site/${site.id}`],
    steps: [
      ...(await Promise.all(parts.bindings.map(async ({ service }) => serverStep(context, service.server)))),
      ...before,
      publish,
      probeStep(parts, "changed"),
      ...unbind(context, site, parts),
    ],
    commit: changeSite(context, changed),
    value: { site: site.id, domain: site.domain, webRules },
  };
}

function cachePlace(
  context: PlanningContext,
  site: SiteRecord,
  wanted: string | null | undefined,
): ServicePlace | undefined {
  if (wanted === undefined) return site.bindings?.cache;
  if (wanted === null) return undefined;
  const platform = context.inventory.platform(site.platform);
  return chooseCache(context, wanted, context.inventory.siteDefinition(site).role.needs?.cache, platform);
}

/** What the site had at a service elsewhere that it is bound to no longer; on a server of its own its steps see to it. */
function unbind(context: PlanningContext, site: SiteRecord, parts: SiteParts): readonly Step[] {
  const former = site.bindings?.cache;
  const still = [parts.web, ...[parts.database, ...parts.bindings].flatMap((used) => used?.service.server ?? [])];
  if (former === undefined || still.some(({ id }) => id === former.server)) return [];
  const server = context.inventory.server(former.server);
  return [
    {
      kind: "ensure",
      title: `cache of ${site.domain}, used no longer`,
      server,
      phase: "prepare",
      items: [],
      remove: [{ owners: [ownerOf(parts)] }],
      publish: null,
    },
  ];
}

function refuseLoop(site: SiteRecord, { redirects }: OwnRules): void {
  const loop = redirectLoop(redirects, [site.domain, ...site.aliases]);
  if (loop === null) return;
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `webRules of ${site.domain}: the redirect from ${JSON.stringify(loop)} leads back to where it began, or through more redirects than browsers follow. Nothing was changed.`,
  );
}

async function requirePasswords(context: PlanningContext, site: SiteRecord, { basicAuth }: OwnRules): Promise<void> {
  for (const user of basicAuth?.users ?? []) {
    try {
      await context.session.loadSecrets([{ id: `site/${site.id}/${webPasswordName(user)}` }]);
    } catch (cause) {
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `webRules of ${site.domain}: ${user} has no password. Nothing was changed.`,
        { remedy: `Set one: hw.sites.setPassword("${site.domain}", "${user}", secret(...)).`, cause },
      );
    }
  }
}
