import type { Operation } from "../contracts/operation.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Reference } from "../model/text.ts";
import { stopRemoteUnit } from "./remote-unit.ts";
import { askDriver, type SiteCommandInput } from "./site-command.ts";

export interface LoginLinkInput extends SiteCommandInput {
  readonly domain: string;
  /** Seconds for which a link is good. */
  readonly validSeconds: number;
  /** Made by the installer, which saves a run of its own. */
  readonly given?: Reference;
}

export interface LoginLinkOutput {
  readonly loginLink: Reference;
  /** ISO 8601, UTC. */
  readonly loginLinkExpires: string;
}

/** Asks the application for a link that logs its administrator in once. One that was made ends by itself: there is nothing to undo. */
export const loginLinkOperation: Operation<LoginLinkInput, LoginLinkOutput> = {
  name: "login-link",
  version: 1,
  async run(context, { given, domain, validSeconds, ...command }) {
    const value =
      given === undefined ? (await askDriver(context, command))["loginLink"] : context.target.resolve(given);
    const url = requireOwnUrl(value, domain, command.what);
    return {
      loginLink: given ?? (await context.keep("login-link", { label: "login link", value: url })),
      loginLinkExpires: new Date(Date.now() + validSeconds * 1000).toISOString(),
    };
  },
  async probe(context) {
    await stopRemoteUnit(context.target, context.attempt);
    return "absent";
  },
  async undo() {},
};

/** The answer comes from code that the site's owner can change: a link to another host is refused. */
function requireOwnUrl(value: unknown, domain: string, what: string): string {
  const parsed = typeof value === "string" ? URL.parse(value) : null;
  if (parsed !== null && ["http:", "https:"].includes(parsed.protocol) && parsed.hostname === domain)
    return String(value);
  throw new HostwrightError(
    "HW_INSTALLER_FAILED",
    `${what}: the application gave a link that is not one of ${domain}.`,
    { remedy: "Look at the site's own code: a plugin or drop-in of it answers in place of the application." },
  );
}
