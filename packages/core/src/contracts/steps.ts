import type { HostwrightError } from "../errors/hostwright-error.ts";
import type { ServerRecord } from "../model/records.ts";
import type { Text } from "../model/text.ts";
import type { Guard } from "./guard.ts";
import type { Declared, Removal } from "./resource.ts";
import type { UnitProperty } from "./roles/runtime.ts";
import type { RecordVersion } from "./store.ts";

/** Where a step stands relative to the commit row (decisions.md D8). */
export type Phase = "prepare" | "clean-up";

/** What a plan may be made for all of: sites by their ids, services by their names. */
export type SetName =
  | "sites served by server"
  | "sites on platform"
  | "http services at work on server"
  | "members of cluster";

/**
 * All records of a kind that a plan was made for: with one more or one less it would be another plan. A plan whose set has
 * changed is refused before it begins (HW_RESOURCE_CHANGED).
 */
export interface AssumedSet {
  readonly set: SetName;
  /** Id of that server, cluster or platform. */
  readonly of: string;
  /** Ids of the sites or servers, or names of the services, as the task was planned from them; in any order. */
  readonly found: readonly string[];
}

/** A declared resource with the owner that it is registered for. */
export interface Owned extends Declared {
  /** `server/<id>`, `platform/<id>`, `site/<id>`. */
  readonly owner: string;
}

/** What the register says of a resource. All that is given must fit; what is left out fits everything. */
export interface ResourceFilter {
  readonly types?: readonly string[];
  /** A folder: only keys below it, at any depth. */
  readonly below?: string;
  readonly keys?: readonly string[];
  /** Types of that removal alone: `delete` leaves databases, trees and users (decisions.md D16). */
  readonly removal?: Removal;
}

/** Chooses among the registered resources of a server. */
export interface Selector extends ResourceFilter {
  /** Whose: of these alone. */
  readonly owners: readonly string[];
  /** None that fits one of these. Default: no exception. */
  readonly except?: readonly ResourceFilter[];
}

interface StepCommon {
  /** Names it in its plan, for `OutputReference` and `ActivateStep`. Default: nothing refers to it. */
  readonly id?: string;
  readonly title: string;
  readonly server: ServerRecord;
  readonly phase: Phase;
  /** What must hold right before it, beside what its resources ask for. Default: nothing. */
  readonly guards?: readonly Guard[];
  /** Records by whose versions it was decided, beside those of the sites whose things it changes. Default: none. */
  readonly records?: readonly RecordVersion[];
  /** Sets of records that it was made for or chosen by. Default: none. */
  readonly sets?: readonly AssumedSet[];
}

/**
 * Wanted resources of one server. What stands as wanted by then makes no action: each step is planned from what the steps
 * before it make, so that a later one may change what an earlier one of the same owner made.
 */
export interface EnsureStep extends StepCommon {
  readonly kind: "ensure";
  readonly items: readonly Owned[];
  /** Of the registered resources that no step of the plan declares, those are removed here that one of these chooses. Default: none. */
  readonly remove?: readonly Selector[];
  /**
   * Its items' owners are judged alone: one whose secrets, states or things cannot be had is told here and left out, as it
   * stands, and the others go on. Default: whatever fails refuses the plan.
   */
  readonly apart?: (owner: string, error: HostwrightError) => void;
}

/**
 * Puts in force, as one generation, what a service publishes (`Publication`): after a change of its entries by the steps
 * before it, or when some wait; otherwise it makes no action. An undo takes the changes back first, then puts in force what
 * stood before: until then the service has in force what names things that those steps took back.
 */
export interface ActivateStep extends StepCommon {
  readonly kind: "activate";
  /** Name of a service of the server. */
  readonly service: string;
  /** Ids of `ensure` steps before it whose changed files, beside entries, need a generation too. Default: none. */
  readonly of?: readonly string[];
}

/** An operation. `when: "changed"` leaves it out of a plan that has no other action. */
export interface RunStep extends StepCommon {
  readonly kind: "run";
  readonly operation: string;
  /** Of the operation that the input is made for; default 1. */
  readonly version?: number;
  /** Plain JSON, with references to secrets and to the outputs of earlier steps. */
  readonly input: unknown;
  readonly when: "always" | "changed";
  /** Where a step on its server leaves this owner out (`apart`), it is left out as well. Default: nobody. */
  readonly owner?: string;
  /** Resources of its server whose state it changes: later steps take them as they find them. Only of one that is run always. Default: none. */
  readonly touches?: readonly { readonly type: string; readonly key: string }[];
}

/** A program on a server as one end of a transfer: a transient unit, stopped with the transfer. */
export interface ProgramEnd {
  readonly kind: "program";
  /** Never holds secrets. */
  readonly argv: readonly string[];
  /** As whom and in which sandbox it runs; for code of a site its `RuntimeRole.sandbox`. */
  readonly properties: readonly UnitProperty[];
  /** What it may read, once, at `/dev/fd/3`: where and as whom it logs in. Default: nothing. */
  readonly login?: Text;
}

/** Writes all bytes to its output and ends with 0. What the sink said that it has is its input: empty where it has nothing. */
export interface ProgramSource extends ProgramEnd {
  readonly server: ServerRecord;
  /** With which the last line of a whole stream begins. Default: its end alone tells that the stream is whole. */
  readonly trailer?: string;
}

/**
 * Takes all bytes from its input and ends with 0, on the step's server. Its input ends only after a whole stream: when the
 * stream breaks off, it is killed instead.
 */
export interface ProgramSink extends ProgramEnd {
  /**
   * Prints what of it is there already, in whatever words the source understands, 1 MiB at most: the source then sends the
   * rest. A whole number alone is taken for so many bytes. Asked before each attempt. Default: it begins from the beginning.
   */
  readonly resume?: readonly string[];
  /** Folders that it writes to: what is in them is on the disk when its end is told (decisions.md D10). Default: none. */
  readonly writes?: readonly string[];
}

/** Later versions add ends without a machine. */
export type TransferSource = ProgramSource;
export type TransferSink = ProgramSink;

/**
 * Bytes from one end to another: from program to program where both are on one server, else through this process. It has
 * succeeded when both ended well and all that was given was taken. An undo stops it; what was received goes with the
 * resource that an earlier step made for it. After the death of its worker one whose sink can `resume` goes on, any other
 * is taken back. Its output is `{ bytes, resumedFrom? }`: bytes of its last attempt, and how many were there before it,
 * where the sink said so.
 */
export interface TransferStep extends StepCommon {
  readonly kind: "transfer";
  readonly from: TransferSource;
  /** On the step's server. */
  readonly to: TransferSink;
  /** Bytes that are expected, for a bar. Default: nobody knows. */
  readonly bytes?: number;
  /** Milliseconds without a byte after which it is stopped; rounded up to seconds. Default 300,000. */
  readonly idleMs?: number;
  /** Milliseconds that an attempt may take. Default a day. */
  readonly timeoutMs?: number;
}

export type Step = EnsureStep | RunStep | ActivateStep | TransferStep;
