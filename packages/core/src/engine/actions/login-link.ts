import { createHash } from "node:crypto";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import type { Target } from "../../contracts/resource.ts";
import type { Reference } from "../../model/text.ts";
import { collectReferences } from "../../model/references.ts";
import { stopRemoteUnit } from "../../operations/remote-unit.ts";
import { runSiteCommand } from "../../operations/site-command.ts";
import type { SecretVault } from "../../store/secrets.ts";
import type { Afterwards } from "../planning/plan.ts";
import type { Session } from "../sessions/session.ts";

export function taskSecret(task: string, name: string): string {
  return `task/${task}/${name}`;
}

/** The login link that a task gives back: by reference, its value sealed among the task's secrets (decisions.md D42). */
export async function giveLoginLink(
  parts: {
    readonly task: string;
    readonly vault: SecretVault;
    readonly session: Session;
    readonly target: Target;
    /** A worker before this one may have died while it asked for it. */
    readonly again: boolean;
  },
  afterwards: Afterwards,
): Promise<{ readonly loginLink: Reference; readonly loginLinkExpires: string }> {
  const { task, vault, session, target } = parts;
  const id = taskSecret(task, "login-link");
  // The installer may have given one already.
  let url = await stored(vault, id);
  if (url === null) {
    await session.loadSecrets(collectReferences(afterwards.input));
    const keep = async (name: string, value: string): Promise<void> => vault.put(taskSecret(task, name), value);
    const attempt = attemptOf(task);
    if (parts.again) await stopRemoteUnit(target, attempt);
    const context = { target, view: null, attempt, log: () => undefined, redact: session.redact, keep };
    await runSiteCommand(context, afterwards.input);
    url = await stored(vault, id);
  }
  requireOwnUrl(url, afterwards);
  return {
    loginLink: { ref: "secret", id, label: "login link" },
    loginLinkExpires: new Date(Date.now() + afterwards.validSeconds * 1000).toISOString(),
  };
}

/** No journal names it, so that it must be found out from the task alone. */
function attemptOf(task: string): string {
  return createHash("sha256").update(`login-link/${task}`).digest("hex").slice(0, 18);
}

async function stored(vault: SecretVault, id: string): Promise<string | null> {
  try {
    return (await vault.load([id])).get(id) ?? null;
  } catch (error) {
    if (isHostwrightError(error) && error.code === "HW_SECRET_UNREADABLE") return null;
    throw error;
  }
}

/** The answer comes from code that the site's owner can change: a link to another host is refused. */
function requireOwnUrl(url: string | null, { domain, input }: Afterwards): void {
  const parsed = url === null ? null : URL.parse(url);
  if (parsed !== null && ["http:", "https:"].includes(parsed.protocol) && parsed.hostname === domain) return;
  throw new HostwrightError(
    "HW_INSTALLER_FAILED",
    `${input.what}: the application gave a link that is not one of ${domain}.`,
    { remedy: "Look at the site's own code: a plugin or drop-in of it answers in the application's place." },
  );
}
