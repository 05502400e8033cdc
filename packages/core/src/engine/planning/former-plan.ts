import type { RecordChange } from "../../contracts/store.ts";
import { presentSite } from "../../model/former-site.ts";
import type { SiteRecord } from "../../model/records.ts";
import type { PlannedChange } from "./plan.ts";

/** A change of a plan that was made before plans told for whom a thing is registered. */
interface FormerChange extends Omit<PlannedChange, "holder" | "found"> {
  /** It stood there, and nobody had registered it. */
  readonly adopt: boolean;
  /** Registered for its owner. */
  readonly held: boolean;
  /** Its type follows others. */
  readonly refresh: boolean;
  /** Found in a state of its own. */
  readonly moved?: true;
}

/** A change of a stored plan as it is carried out now (decisions.md D4). */
export function presentChange(change: PlannedChange | FormerChange): PlannedChange {
  if ("holder" in change) return change;
  const { adopt, held, refresh: _refresh, moved, ...same } = change;
  const holder = held ? "own" : adopt || change.before === null ? "nobody" : "others";
  return { ...same, holder, ...(moved === undefined ? {} : { found: moved }) };
}

/** A record that a stored plan writes, as it is written now. */
export function presentRecord<T extends Pick<RecordChange, "kind" | "value">>(change: T): T {
  return change.kind === "site" ? { ...change, value: presentSite(change.value as SiteRecord) } : change;
}
