import type { SiteView } from "../../contracts/views.ts";
import { includesAddress, matchesPath } from "../../model/own-rules.ts";

/** What the site's own rules let a visitor from the server itself see of the front page. */
export function expectedStatus({ enabled, ownRules }: Pick<SiteView, "enabled" | "ownRules">): number {
  const { allowFrom, denied, redirects, basicAuth } = ownRules;
  if (!enabled) return 503;
  if (allowFrom.length > 0 && !includesAddress(allowFrom, "127.0.0.1")) return 403;
  if (denied.some((pattern) => matchesPath(pattern, "/"))) return 404;
  const redirect = redirects.find(({ from }) => matchesPath(from, "/"));
  return redirect?.status ?? (basicAuth === null ? 200 : 401);
}
