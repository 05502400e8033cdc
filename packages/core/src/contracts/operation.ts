import type { ServerView } from "./views.ts";
import type { Reference } from "../model/text.ts";
import type { Target } from "./resource.ts";

/** What an operation's attempt really did, found by looking at the server after a crash (decisions.md D6). */
export type ProbeResult = "done" | "absent" | "partial" | "unknown";

export interface OperationContext {
  readonly target: Target;
  readonly view: ServerView | null;
  /** Names this attempt on the server: the transient unit, its output and its result. */
  readonly attempt: string;
  /** Takes the task's secrets out of what a program said: it may have printed its settings. */
  redact(text: string): string;
  /** Lines of progress; they become `task:log` events, without secrets. */
  log(line: string): void;
  /**
   * Keeps a secret that the task makes, until an hour after its end: sealed, in no journal or event. The reference may stand
   * in the output. `name` is the task's own; what is kept again under it takes the place of what was.
   */
  keep(name: string, secret: { readonly label: string; readonly value: string }): Promise<Reference>;
}

/**
 * Something that happens, as code of a version: a copy, an install, a probe. Input and output are plain JSON; input holds
 * references instead of secrets.
 */
export interface Operation<Input = never, Output = unknown> {
  readonly name: string;
  /**
   * 1 or more; raised when the meaning of stored inputs changes. Older versions stay listed beside it as long as
   * unfinished tasks may hold them: without theirs a task waits, untouched (decisions.md D4).
   */
  readonly version: number;
  run(context: OperationContext, input: Input): Promise<Output>;
  /** Asked after a crash, when the attempt's unit was seen gone. One that is `done` gives no output any more. */
  probe(context: OperationContext, input: Input): Promise<ProbeResult>;
  /** Takes the effect back; must also work after a partial run. */
  undo(context: OperationContext, input: Input): Promise<void>;
}
