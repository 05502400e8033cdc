import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Planning } from "../contracts/planning.ts";
import type { ServedName, HttpRole } from "../contracts/roles/http.ts";
import type { PlatformRecord, ServerRecord, SiteRecord } from "../model/records.ts";

/** The same request for a finished site is its verify; another one, or one that came too late, needs another task. */
export function refuseOther(
  known: SiteRecord,
  draft: SiteRecord | null,
  platform: PlatformRecord,
  aliases: readonly string[],
): SiteRecord {
  const same =
    known.status === "installed" && known.platform === platform.id && String(known.aliases) === String(aliases);
  if (same && draft === null) return known;
  throw new HostwrightError(
    "HW_DOMAIN_TAKEN",
    `${known.domain} is held by the site ${known.id}. Nothing was changed.`,
    {
      data: { domain: known.domain, site: known.id },
    },
  );
}

/** @throws HW_DOMAIN_TAKEN for a name that another site holds, as its main domain or an alias. */
export async function refuseTaken(context: Planning, names: readonly string[], own: string | undefined): Promise<void> {
  for (const name of names) {
    const holder = (await context.inventory.findSite(name))?.id ?? own;
    if (holder === own) continue;
    throw new HostwrightError("HW_DOMAIN_TAKEN", `${name} is held by the site ${holder}. Nothing was changed.`, {
      data: { domain: name, site: holder },
    });
  }
}

/** @throws HW_NAME_TAKEN for a name that the web server serves already, from whatever file. */
export function refuseServed(
  served: readonly ServedName[],
  names: readonly string[],
  web: ServerRecord,
  { publication }: HttpRole,
): void {
  const taken = served.find((entry) => names.includes(entry.name));
  if (taken === undefined) return;
  const { name, file } = taken;
  const ours = file.startsWith(`${publication.root}/`);
  throw new HostwrightError(
    "HW_NAME_TAKEN",
    `${name} is already served on ${web.name} by ${file}. Nothing was changed.`,
    {
      server: web.name,
      remedy: ours
        ? "Choose another domain: a site that this store does not know has the name, of another state folder or from before a backup was put back."
        : `Remove the name from ${file}, or choose another domain.`,
      data: { name, file },
    },
  );
}
