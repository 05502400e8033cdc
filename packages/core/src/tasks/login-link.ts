import * as z from "zod";
import type { Secret } from "../model/secret.ts";
import { Name, ofSite, SecretValue, type OfSite, type SiteInput } from "./inputs.ts";
import { siteParts } from "./site-parts.ts";
import { siteCommandInput } from "./site-steps.ts";
import type { TaskRequest, TaskType } from "../contracts/task.ts";
import type { PlanningContext } from "../engine/planning/task-type.ts";
import { defineTask } from "../plugin-kit/define-task.ts";

/** Seconds for which a login link is good. */
export const LOGIN_LINK_SECONDS = 900;

export interface LoginLinkValue extends OfSite {
  /** Good once. */
  readonly loginLink: Secret;
  /** When it ends: ISO 8601, UTC. */
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
  async plan(context: PlanningContext, request) {
    const site = await context.inventory.site(request.site);
    const parts = await siteParts(context, site);
    return {
      title: `login link of ${site.domain}`,
      about: [`site/${site.id}`],
      steps: [],
      afterwards: {
        server: parts.web.id,
        domain: site.domain,
        input: siteCommandInput(parts, "login link", parts.definition.role.loginLink(parts.view)),
        validSeconds: LOGIN_LINK_SECONDS,
      },
      value: { site: site.id, domain: site.domain },
    };
  },
});

/**
 * Asks for a link that logs the administrator of a site in, once; `site` is an id, main domain or alias. The value is
 * `{ site, domain, loginLink, loginLinkExpires }`: a `Secret`, and when it ends (ISO 8601), 15 minutes later.
 * @throws HW_NOT_FOUND when planned, HW_INSTALLER_FAILED when the application gives none
 */
export function loginLink(site: string): TaskRequest<LoginLinkValue> {
  return siteLoginLink.request(site);
}
