import type { Guard } from "../../contracts/guard.ts";
import type { AssumedSet, Phase, ProgramSource, TransferSink } from "../../contracts/steps.ts";
import type { LeaseRequest, RecordChange, RecordRemoval, RecordVersion } from "../../contracts/store.ts";
import type { PlainRequest } from "../../contracts/task.ts";
import type { OutputReference } from "../../model/outputs.ts";

/** Approves a stored plan by its id and hash. */
export interface PlanApproval {
  readonly plan: string;
  readonly hash: string;
}

/** One resource's change as it was planned. States are keyed hashes; `after` is the spec, with references. */
export interface PlannedChange {
  readonly type: string;
  readonly key: string;
  readonly owner: string;
  readonly shared: boolean;
  /** Keyed hash of the state that was read; null: absent. */
  readonly before: string | null;
  /** Keyed hash of the state that is wanted; null: removed. */
  readonly after: string | null;
  readonly spec: unknown;
  /**
   * For whom it is registered before: `own` for its owner, which an undo leaves so. What stands there and is `nobody`'s is
   * adopted.
   */
  readonly holder: "own" | "others" | "nobody";
  /** An operation, or an earlier change of the same plan, has it in a state of its own: it is changed as it is found. Absent: false. */
  readonly found?: true;
  /** What a person reads; never secrets. */
  readonly show: { readonly before: string | null; readonly after: string | null };
}

/** Something declared that already stands as wanted: registered only, no effect on the server. */
export interface Registration {
  readonly type: string;
  readonly key: string;
  readonly owner: string;
  readonly shared: boolean;
  readonly hash: string | null;
  readonly gone: boolean;
}

interface ActionCommon {
  readonly title: string;
  /** Id of the server; its name for people. */
  readonly server: string;
  readonly serverName: string;
  readonly phase: Phase;
  /** What must hold right before it; absent where nothing must. */
  readonly guards?: readonly Guard[];
  /**
   * The records of others than the plan's own by which it was planned: they are at these versions still when it begins, or
   * it does not (decisions.md D56). Version 0: the owner is gone. Absent where there are none.
   */
  readonly records?: readonly RecordVersion[];
}

export interface EnsureAction extends ActionCommon {
  readonly kind: "ensure";
  /** In the order in which they are made; undone in reverse. */
  readonly changes: readonly PlannedChange[];
  /** Only of a plan that was made before there was `ActivateAction`: the service that it publishes after the changes, both ways. */
  readonly publish?: string | null;
}

export interface ActivateAction extends ActionCommon {
  readonly kind: "activate";
  /** Name of the service that puts a new generation in force. */
  readonly service: string;
  /** Index of the first action whose changes it puts in force; its own where it only takes up what waits. */
  readonly from: number;
  /** Something beside its entries changed: a generation is made although none of them differs. */
  readonly force: boolean;
}

export interface RunAction extends ActionCommon {
  readonly kind: "run";
  /** Of the step, where something refers to its output. */
  readonly id?: string;
  readonly operation: string;
  readonly version: number;
  /** Plain JSON with references. */
  readonly input: unknown;
}

/** A transfer's source, with the id of its server and its name for people. */
export interface PlannedSource extends Omit<ProgramSource, "server"> {
  readonly server: string;
  readonly serverName: string;
}

export interface TransferAction extends ActionCommon {
  readonly kind: "transfer";
  /** Of the step, where something refers to its output. */
  readonly id?: string;
  readonly from: PlannedSource;
  /** On the action's server. */
  readonly to: TransferSink;
  /** Expected; null: not known. */
  readonly bytes: number | null;
  readonly idleMs: number;
  readonly timeoutMs: number;
}

export type Action = EnsureAction | RunAction | ActivateAction | TransferAction;

/** Code that a plan names and that its worker must know, to do it and to take it back (decisions.md D4). */
export interface Need {
  readonly kind: "operation" | "resource type" | "service" | "step";
  /** `site-command`, `file`, `http nginx`, `transfer`. */
  readonly name: string;
  /** Of the operation, resource type or kind of step; null for a service. */
  readonly version: number | null;
  /** Plugin that brought it when the plan was made; null when it was not known. */
  readonly plugin: string | null;
}

/** A child as it was judged when its parent was planned; it is planned itself when it is worked. */
export interface PlannedChild {
  /** What a person calls it: `verify example.com`. */
  readonly title: string;
  readonly request: PlainRequest;
}

/** Tasks that are worked for the one whose plan this is of. */
export interface PlannedChildren {
  /** In the order in which they are put into the queue. */
  readonly list: readonly PlannedChild[];
  /** So many are unfinished at once at most. */
  readonly concurrency: number;
  /** After so many have failed no further one is begun; null: all are tried. */
  readonly stopAfter: number | null;
}

/** The ordered actions of a task as frozen plain data, computed before anything is touched. */
export interface PlanData {
  readonly id: string;
  readonly task: string;
  readonly request: unknown;
  /** What an approval names: over all that is approved, made once, and sealed with the plan. */
  readonly hash: string;
  /** What the task is about, for people: `install example.com`. */
  readonly title: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly leases: readonly LeaseRequest[];
  readonly actions: readonly Action[];
  /** Absent where it has none. A plan with children has no actions. */
  readonly children?: PlannedChildren;
  readonly needs: readonly Need[];
  readonly register: readonly (Registration & { readonly server: string })[];
  /** As of an action, for what its commit forgets and what the whole is about. Absent where there are none. */
  readonly records?: readonly RecordVersion[];
  /** Are as they were when it begins, or it does not (decisions.md D56). Absent where there are none. */
  readonly sets?: readonly AssumedSet[];
  /** At submit: reserves domains. */
  readonly reserve: readonly RecordChange[];
  /** With the commit row. */
  readonly commit: { readonly put: readonly RecordChange[]; readonly deleteRecords: readonly RecordRemoval[] };
  /** When everything before the commit row was undone. */
  readonly release: readonly RecordRemoval[];
  /** Secret prefixes erased after the commit, and after an undo. */
  readonly eraseOnCommit: readonly string[];
  readonly eraseOnUndo: readonly string[];
  /** Given back when the task succeeds. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Fields of the value that its operations give. Absent where there are none. */
  readonly outputs?: { readonly [field: string]: OutputReference | undefined };
}
