import * as z from "zod";
import { siteParts } from "./site-parts.ts";
import { siteCommandInput } from "./site-steps.ts";
import { NOTHING, type TaskType } from "../engine/planning/task-type.ts";

/** Seconds for which a login link is good. */
export const LOGIN_LINK_SECONDS = 900;

export interface LoginLinkRequest {
  readonly type: "site:login-link";
  /** Id, main domain or alias. */
  readonly site: string;
}

const Request = z.strictObject({ type: z.literal("site:login-link"), site: z.string().min(1).max(300) });

/**
 * Asks for a link that logs the administrator of a site in, once. The value is `{ site, domain, loginLink,
 * loginLinkExpires }`: a `Secret`, and when it ends (ISO 8601), 15 minutes later.
 * @throws HW_NOT_FOUND when planned, HW_INSTALLER_FAILED when the application gives none
 */
export function loginLink(site: string): LoginLinkRequest {
  return { type: "site:login-link", site };
}

export const siteLoginLink: TaskType<LoginLinkRequest> = {
  type: "site:login-link",
  schema: Request,
  title: ({ site }) => `login link of ${site}`,
  subject: ({ site }) => ({ site }),
  async plan(context, request) {
    const site = await context.estate.site(request.site);
    const parts = await siteParts(context, site);
    return {
      ...NOTHING,
      title: `login link of ${site.domain}`,
      leases: [{ scope: `site/${site.id}`, mode: "exclusive" }],
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
};
