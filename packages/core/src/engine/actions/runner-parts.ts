import type { Operation, OperationContext } from "../../contracts/operation.ts";
import type { RegisterStore } from "../../contracts/store.ts";
import type { ServerRecord } from "../../model/records.ts";
import type { Events } from "../events.ts";
import type { PlannedChange } from "../planning/plan.ts";
import type { Registry } from "../plugins/registry.ts";
import type { RetryPolicy } from "../sessions/retry-policy.ts";
import type { Session } from "../sessions/session.ts";
import type { Journal } from "./journal.ts";

/** What a plan is carried out and undone with. */
export interface RunnerParts {
  readonly registry: Registry;
  readonly register: RegisterStore;
  readonly journal: Journal;
  readonly events: Events;
  readonly session: Session;
  /** Once aborted, no further action is begun: the task is handed over. An undo comes to its end. */
  readonly closing: AbortSignal;
  readonly operations: ReadonlyMap<string, Operation>;
  fingerprint(text: string): string;
  server(id: string): ServerRecord;
  /** How long what fails for a passing reason is tried again, in an undo and in the clean-ups. */
  retryPolicy(): RetryPolicy;
  /**
   * Tells the store that the task is being undone, and why: a cancel may have come first. `committed` when its commit row
   * stands: only its answer was lost.
   */
  undoing(reason: (cancelled: boolean) => unknown): Promise<Undone>;
  /** Seals a secret that the task makes. */
  readonly keep: OperationContext["keep"];
  /** Puts a new generation of a service in force if its entries ask for one, or the task does. */
  publish(server: ServerRecord, service: string, session: Session, publishing: Publishing): Promise<void>;
}

/** What a task puts in force. */
export interface Publishing {
  /** All that it changed for it. */
  readonly changes: readonly PlannedChange[];
  /** Is a generation made although no entry differs? Null: if any file beside the entries changed. */
  readonly force: boolean | null;
}

/** What became of telling that a task is being undone. */
export type Undone = "committed" | { readonly cancelled: boolean };
