import type * as z from "zod";
import type { OutputReference } from "../model/outputs.ts";
import type { Planning } from "./planning.ts";
import type { AssumedSet, Step } from "./steps.ts";
import type { RecordChange, RecordRemoval, RecordVersion } from "./store.ts";

/** A request as it is stored and sent: plain JSON, the input beside its type. */
export interface PlainRequest {
  /** `noun:verb`, such as `site:install`. */
  readonly type: string;
}

declare const TASK_VALUE: unique symbol;

/** What a task gives back where its type is not known when the program is compiled. */
export type TaskValue = Readonly<Record<string, unknown>>;

/**
 * A request as its task's builder makes it; plain JSON. One that comes from elsewhere is judged first:
 * `Hostwright.request`.
 */
export interface TaskRequest<Value = unknown> extends PlainRequest {
  /** For the compiler alone, never there: what the task gives back. */
  readonly [TASK_VALUE]: Value;
}

/** What a request is about, by the names that it uses; `alias` may be any of the others. */
export interface TaskSubject {
  readonly site?: string;
  /** Further names that the site is to have: whoever asks for it by one of them waits as well. */
  readonly aliases?: readonly string[];
  readonly platform?: string;
  readonly server?: string;
  readonly alias?: string;
}

/** What everybody may read of a task type before anything is planned. */
export interface TaskDescription<Input, Value> {
  /** `noun:verb`. */
  readonly type: string;
  /** Of the input, from 1 on; raised when a request that was stored before would no longer do. */
  readonly version: number;
  /** What is asked with; takes what it gives, since a stored request is judged again. */
  readonly input: z.ZodType<Input>;
  /** What is given back by a task that succeeded. */
  readonly value: z.ZodType<Value>;
  /** What a person calls it before it is planned: `install example.com`; `titleOf` is the same of another request. Pure. */
  title(input: Input, titleOf: (request: PlainRequest) => string): string;
  /**
   * Tasks of one subject are worked one after the other, in the order of their submission, and rights are asked for it.
   * `{}`: none, so that only the leases of its plan say what it waits for.
   */
  subject(input: Input): TaskSubject;
  /**
   * Requests in its input that it stands for, as a plan stands for what it plans: whoever asks for it needs the right to
   * each of them, and is asked about nothing else. Its children are among them. Pure. Default: it stands for itself.
   */
  standsFor?(input: Input): readonly PlainRequest[];
  /** The input as this version takes it, from what an older version stored. Pure. Default: as it is. */
  migrate?(input: Readonly<Record<string, unknown>>, fromVersion: number): unknown;
}

/** What is written and removed in one transaction with the commit row. */
export interface TaskCommit {
  readonly put: readonly RecordChange[];
  readonly deleteRecords: readonly RecordRemoval[];
}

/** Tasks that a task is made of: each with its own plan, leases, undo and outcome. */
export interface TaskChildren {
  /** In the order in which they are put into the queue; 10,000 at most. None of a task that has children or `standsFor`. */
  readonly requests: readonly PlainRequest[];
  /** How many may be unfinished at once, 1 to 100. Default: 4. */
  readonly concurrency?: number;
  /**
   * Number of failures after which no further one is begun. Those under way come to their end, so that more may fail.
   * Default: all are tried.
   */
  readonly stopAfter?: number;
}

/** What a task comes to; core reads, compares, orders and makes the plan of it. */
export interface TaskDraft<Value = TaskValue> {
  /** What the task is about, for people: `install example.com on wp-6.8`. */
  readonly title: string;
  /**
   * What it has for itself alone while it is worked: `site/<id>`, `platform/<id>`, `server/<id>`. The first names the
   * fence. What else it has follows from its steps.
   */
  readonly about: readonly string[];
  /** In the order in which they are carried out; undone in reverse. */
  readonly steps: readonly Step[];
  /**
   * Tasks that are worked for it; what became of them is added to its value (`ChildrenReport`). Such a draft has
   * `about: []` and `steps: []`, and of the fields below only `value`: whatever else it had, its children could wait for
   * without end. Anything more is refused when it is planned (HW_INTERNAL), and so is a child that its `standsFor` does not
   * give; a child that has children or `standsFor` itself is HW_INPUT_INVALID. Default: none.
   */
  readonly children?: TaskChildren;
  /**
   * Given back when the task succeeds, with its `outputs`; what is still being read is waited for after the servers' states.
   * A function is asked once the steps are planned.
   */
  readonly value: Partial<Value> | Promise<Partial<Value>> | (() => Promise<Partial<Value>>);
  /** Fields of the value that steps of the plan give. Default: none. */
  readonly outputs?: { readonly [K in keyof Value]?: OutputReference };
  /** Records by which the whole was decided, beside those of its steps. Default: none. */
  readonly records?: readonly RecordVersion[];
  /** Sets of records that the whole was made for, beside those of its steps. Default: none. */
  readonly sets?: readonly AssumedSet[];
  /** Records that are written before anything is changed: they reserve domains. Default: none. */
  readonly reserve?: readonly RecordChange[];
  /** Records that are written and removed with the commit row. Default: none. */
  readonly commit?: TaskCommit;
  /** Records that are removed when everything before the commit row was undone. Default: none. */
  readonly release?: readonly RecordRemoval[];
  /** Prefixes of secrets, `site/<id>/`, that are erased after the commit. Default: none. */
  readonly eraseOnCommit?: readonly string[];
  /** The same after an undo. */
  readonly eraseOnUndo?: readonly string[];
}

/** A kind of task: how it is asked for, what it takes and gives, and how it is planned. Made by `defineTask`. */
export interface TaskType<Args extends readonly unknown[], Input, Value> extends TaskDescription<Input, Value> {
  request(...args: Args): TaskRequest<Value>;
  /** Reads, and changes nothing: whatever is to be changed is a step. */
  plan(context: Planning, input: Input): Promise<TaskDraft<Value>>;
}

/** One of whatever arguments, input and value. */
export type AnyTaskType = TaskType<never, unknown, object>;
