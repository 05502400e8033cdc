import * as z from "zod";
import type { Phase, RunStep } from "../contracts/steps.ts";
import type { OutputReference } from "../model/outputs.ts";
import type { Secret } from "../model/secret.ts";
import { Name, ofSite, SecretValue, type OfSite, type SiteInput } from "./inputs.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { PlatformRecord } from "../model/records.ts";
import { siteParts } from "./site-parts.ts";
import { applicationHead, siteCommandInput, type ApplicationHead } from "./site-steps.ts";
import type { TaskRequest, TaskType } from "../contracts/task.ts";
import type { Planning } from "../contracts/planning.ts";
import { defineTask } from "../plugin-kit/define-task.ts";

/** Seconds for which a login link is good. */
const VALID_SECONDS = 900;

const ID = "login link";

/** What the step gives, as fields of a task's value. */
export const LOGIN_LINK: { readonly loginLink: OutputReference; readonly loginLinkExpires: OutputReference } = {
  loginLink: { ref: "output", step: ID, name: "loginLink" },
  loginLinkExpires: { ref: "output", step: ID, name: "loginLinkExpires" },
};

/** Asks the application for a login link, unless an earlier step may have given one. */
export function loginLinkStep(head: ApplicationHead, phase: Phase, given?: OutputReference): RunStep {
  const { domain } = head.site;
  const call = siteCommandInput(head, "login link", head.application.loginLink(head.view));
  return {
    kind: "run",
    id: ID,
    title: `login link of ${domain}`,
    server: head.server,
    phase,
    operation: "login-link",
    input: { ...call, domain, validSeconds: VALID_SECONDS, ...(given === undefined ? {} : { given }) },
    when: "always",
  };
}

export interface LoginLinkValue extends OfSite {
  /** Good once. Missing in the value of a plan. */
  readonly loginLink: Secret;
  /** When it ends: ISO 8601, UTC. Missing in the value of a plan. */
  readonly loginLinkExpires: string;
}

export const siteLoginLink: TaskType<[site: string], SiteInput, LoginLinkValue> = defineTask({
  type: "site:login-link",
  version: 1,
  input: z.strictObject({ site: Name }),
  value: ofSite.extend({ loginLink: SecretValue, loginLinkExpires: z.iso.datetime() }),
  request: (site: string) => ({ site }),
  title: ({ site }) => `login link of ${site}`,
  subject: ({ site }) => ({ site }),
  async plan(context: Planning, request) {
    const site = await context.inventory.site(request.site);
    const head = applicationHead(await siteParts(context, site, { partly: true }));
    if (head === null) throw nobodyLogsIn(site.domain, context.inventory.platform(site.platform));
    return {
      title: `login link of ${site.domain}`,
      about: [`site/${site.id}`],
      steps: [loginLinkStep(head, "prepare")],
      value: { site: site.id, domain: site.domain },
      outputs: LOGIN_LINK,
    };
  },
});

function nobodyLogsIn(domain: string, { name, type }: PlatformRecord): HostwrightError {
  return new HostwrightError(
    "HW_INPUT_INVALID",
    `${domain} is on ${name} (${type}), which has no application to log in to. Nothing was changed.`,
  );
}

/**
 * Asks for a link that logs the administrator of a site in, once; `site` is an id, main domain or alias. The value is
 * `{ site, domain, loginLink, loginLinkExpires }`: a `Secret`, and when it ends (ISO 8601), 15 minutes later.
 * @throws HW_NOT_FOUND and, for a site without an application, HW_INPUT_INVALID when planned, HW_INSTALLER_FAILED when the application gives none
 */
export function loginLink(site: string): TaskRequest<LoginLinkValue> {
  return siteLoginLink.request(site);
}
