import type * as z from "zod";

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
  /** What a person calls it before it is planned: `install example.com`. Pure. */
  title(input: Input): string;
  /**
   * Tasks of one subject are worked one after the other, in the order of their submission, and rights are asked for it.
   * `{}`: none, so that only the leases of its plan say what it waits for.
   */
  subject(input: Input): TaskSubject;
  /** The input as this version takes it, from what an older version stored. Pure. Default: as it is. */
  migrate?(input: Readonly<Record<string, unknown>>, fromVersion: number): unknown;
}
