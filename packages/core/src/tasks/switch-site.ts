import * as z from "zod";
import type { SiteRecord } from "../model/records.ts";
import { changeSite } from "./site-change.ts";
import { siteParts } from "./site-parts.ts";
import { probeStep, siteSteps } from "./site-steps.ts";
import { NOTHING, type PlanningContext, type TaskDraft, type TaskType } from "../engine/planning/task-type.ts";

const Enable = z.strictObject({ type: z.literal("site:enable"), site: z.string().min(1).max(300) });
const Disable = z.strictObject({ type: z.literal("site:disable"), site: z.string().min(1).max(300) });

export interface EnableRequest {
  readonly type: "site:enable";
  /** Id, main domain or alias. */
  readonly site: string;
}

export interface DisableRequest {
  readonly type: "site:disable";
  /** Id, main domain or alias. */
  readonly site: string;
}

/**
 * Asks that a disabled site answers again. The value is `{ site, domain, enabled }`. @throws HW_NOT_FOUND when planned
 */
export function enable(site: string): EnableRequest {
  return { type: "site:enable", site };
}

/**
 * Asks that a site answers 503 and its PHP runs no more; its files and database stay. The value is `{ site, domain,
 * enabled }`. @throws HW_NOT_FOUND when planned
 */
export function disable(site: string): DisableRequest {
  return { type: "site:disable", site };
}

export const enableSite: TaskType<EnableRequest> = {
  type: "site:enable",
  schema: Enable,
  title: ({ site }) => `enable ${site}`,
  subject: ({ site }) => ({ site }),
  plan: async (context, request) => planSwitch(context, await context.estate.site(request.site), true),
};

export const disableSite: TaskType<DisableRequest> = {
  type: "site:disable",
  schema: Disable,
  title: ({ site }) => `disable ${site}`,
  subject: ({ site }) => ({ site }),
  plan: async (context, request) => planSwitch(context, await context.estate.site(request.site), false),
};

async function planSwitch(context: PlanningContext, site: SiteRecord, enabled: boolean): Promise<TaskDraft> {
  const changed: SiteRecord = { ...site, enabled };
  const parts = await siteParts(context, changed);
  const { before, publish } = siteSteps(context, parts);
  // A visitor never meets a half-switched site: PHP is there before it is published, and goes after it.
  const steps = enabled ? [...before, publish] : [publish, ...before];
  return {
    ...NOTHING,
    title: `${enabled ? "enable" : "disable"} ${site.domain}`,
    leases: [
      { scope: `site/${site.id}`, mode: "exclusive" },
      { scope: `server/${parts.web.id}`, mode: "shared" },
    ],
    steps: [...steps, probeStep(parts, "changed")],
    commit: changeSite(context, changed),
    value: { site: site.id, domain: site.domain, enabled },
  };
}
