import type { TaskState } from "../../contracts/store.ts";
import type { Residue } from "../../model/residue.ts";

/** How a task ended, as it is stored (decisions.md D42). */
export interface StoredOutcome {
  readonly state: Extract<TaskState, "succeeded" | "undone" | "needs-attention">;
  /** Of one that did not succeed empty, but for what became of its children (`ChildrenReport`). */
  readonly value: Readonly<Record<string, unknown>>;
  /** `HostwrightError.toJSON()` of what stopped it; null when it succeeded. */
  readonly error: Readonly<Record<string, unknown>> | null;
  /** What could not be undone or cleaned up, exactly. */
  readonly residue: readonly Residue[];
}
