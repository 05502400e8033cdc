import type { HttpRole } from "../contracts/roles/http.ts";
import type { PlannedChange } from "./plan.ts";
import type { PublishOptions } from "./publisher.ts";

/**
 * A task answers for the entries that it changed: another's broken one is held back and does not fail it. Files besides
 * the entries need a reload of their own. Without any change all that waits is published, and all of it counts.
 */
export function publishOptions({ publication }: HttpRole, changes: readonly PlannedChange[]): PublishOptions {
  if (changes.length === 0) return {};
  const entries = `${publication.root}/entries/`;
  const files = changes.filter((change) => change.type === "file").map((change) => change.key);
  const own = files.filter((path) => path.startsWith(entries));
  return { force: own.length < files.length, own: own.map((path) => path.slice(entries.length)) };
}
