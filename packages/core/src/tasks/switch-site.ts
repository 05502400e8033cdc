import * as z from "zod";
import type { SiteRecord } from "../model/records.ts";
import { changeSite } from "./site-change.ts";
import { Name, ofSite, type OfSite, type SiteInput } from "./inputs.ts";
import { siteParts } from "./site-parts.ts";
import { probeSteps, siteSteps } from "./site-steps.ts";
import type { TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import type { Planning } from "../contracts/planning.ts";

export interface SwitchedValue extends OfSite {
  readonly enabled: boolean;
}

const value: z.ZodType<SwitchedValue> = ofSite.extend({ enabled: z.boolean() });
const input = z.strictObject({ site: Name });
const common = { version: 1, input, value, request: (site: string) => ({ site }) } as const;

export const enableSite: TaskType<[site: string], SiteInput, SwitchedValue> = defineTask({
  ...common,
  type: "site:enable",
  title: ({ site }) => `enable ${site}`,
  subject: ({ site }) => ({ site }),
  plan: async (context: Planning, { site }) => planSwitch(context, await context.inventory.site(site), true),
});

export const disableSite: TaskType<[site: string], SiteInput, SwitchedValue> = defineTask({
  ...common,
  type: "site:disable",
  title: ({ site }) => `disable ${site}`,
  subject: ({ site }) => ({ site }),
  plan: async (context: Planning, { site }) => planSwitch(context, await context.inventory.site(site), false),
});

/**
 * Asks that a disabled site answers again; `site` is an id, main domain or alias. The value is `{ site, domain, enabled }`.
 * @throws HW_NOT_FOUND when planned
 */
export function enable(site: string): TaskRequest<SwitchedValue> {
  return enableSite.request(site);
}

/**
 * Asks that a site answers 503 and runs no code; its files and database stay. `site` is an id, main domain or alias.
 * The value is `{ site, domain, enabled }`. @throws HW_NOT_FOUND when planned
 */
export function disable(site: string): TaskRequest<SwitchedValue> {
  return disableSite.request(site);
}

async function planSwitch(context: Planning, site: SiteRecord, enabled: boolean): Promise<TaskDraft<SwitchedValue>> {
  const changed: SiteRecord = { ...site, enabled };
  const parts = await siteParts(context, changed);
  const { before, publish } = siteSteps(parts);
  // A visitor never meets a half-switched site: PHP is there before it is published, and goes after it.
  const steps = enabled ? [...before, ...publish] : [...publish, ...before];
  return {
    title: `${enabled ? "enable" : "disable"} ${site.domain}`,
    about: [`site/${site.id}`],
    steps: [...steps, ...probeSteps(parts, "changed")],
    commit: changeSite(context, changed),
    value: { site: site.id, domain: site.domain, enabled },
  };
}
