import type { TaskCommit, TaskDraft } from "../contracts/task.ts";
import type { Planning } from "../contracts/planning.ts";
import type { RecordChange, RecordKind } from "../contracts/store.ts";
import type { SiteRecord } from "../model/records.ts";

/** The commit of a task that changes one site's record, and keeps its names. @throws HW_RESOURCE_CHANGED when it is run, where somebody else changed it meanwhile */
export function changeSite(context: Planning, changed: SiteRecord): TaskCommit {
  return { put: [siteChange(context, changed)], deleteRecords: [] };
}

export function siteChange({ inventory }: Planning, changed: SiteRecord): RecordChange {
  return {
    kind: "site",
    id: changed.id,
    name: changed.domain,
    value: changed,
    expect: inventory.version(changed.id),
    claims: [changed.domain, ...changed.aliases],
  };
}

/** What makes a site that was drawn: its names are reserved before anything is changed, and are free again after an undo. */
export interface NewSite extends Required<Pick<TaskDraft, "reserve" | "release" | "eraseOnUndo">> {
  readonly commit: TaskCommit;
}

/** Of a site that `drawSite` gave; `needs` are records that it refers to, which stay while it is made. */
export function newSite(
  context: Planning,
  drawn: SiteRecord,
  needs: readonly { readonly kind: RecordKind; readonly id: string }[],
): NewSite {
  const { id } = drawn;
  const reserved = siteChange(context, { ...drawn, status: "installing" });
  const installed = siteChange(context, { ...drawn, status: "installed" });
  return {
    reserve: [{ ...reserved, needs }],
    commit: { put: [{ ...installed, expect: reserved.expect + 1 }], deleteRecords: [] },
    release: [{ kind: "site", id }],
    eraseOnUndo: [`site/${id}/`],
  };
}
