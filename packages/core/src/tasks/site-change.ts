import type { TaskCommit } from "../contracts/task.ts";
import type { PlanningContext } from "../engine/planning/task-type.ts";
import type { SiteRecord } from "../model/records.ts";

/** The commit of a task that changes one site's record, and keeps its names. */
export function changeSite(context: PlanningContext, changed: SiteRecord): TaskCommit {
  return { put: [siteChange(context, changed)], deleteRecords: [] };
}

export function siteChange({ inventory }: PlanningContext, changed: SiteRecord): TaskCommit["put"][number] {
  return {
    kind: "site",
    id: changed.id,
    name: changed.domain,
    value: changed,
    expect: inventory.version(changed.id),
    claims: [changed.domain, ...changed.aliases],
  };
}
