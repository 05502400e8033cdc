import type { HostwrightEvent } from "../engine/events.ts";

/** How far a task is, for a bar and a line beside it. */
export interface TaskProgress {
  readonly phase: "waiting" | "working" | "undoing" | "over";
  /** Actions that are done, or taken back again: it falls while `undoing`. Of a task with children: those that ended. */
  readonly done: number;
  /** All actions of its plan, or all children; 0 until it is planned. */
  readonly of: number;
  /** What is done at this moment, in words: the title of an action or of the child begun last; empty while it waits and when it is over. */
  readonly title: string;
  /** Of a transfer at work: bytes so far, and how many are expected; null where that is not known. Null while there is none. */
  readonly transfer: { readonly bytes: number; readonly of: number | null } | null;
}

export const NOT_BEGUN: TaskProgress = { phase: "waiting", done: 0, of: 0, title: "", transfer: null };

/** Pure: the progress after an event of its task; the same object where the event says nothing of it. */
export function progressAfter(before: TaskProgress, event: HostwrightEvent): TaskProgress {
  switch (event.type) {
    case "task:waiting":
      return { ...before, phase: "waiting", title: "", transfer: null };
    case "task:started":
      return { ...NOT_BEGUN, phase: "working", of: event.payload.actions };
    case "action:started":
      return { ...NOT_BEGUN, phase: "working", done: before.done, of: event.payload.of, title: event.payload.title };
    case "action:progress":
      return { ...before, transfer: { bytes: event.payload.bytes, of: event.payload.of } };
    case "action:finished":
      return { ...before, done: Math.min(before.done + 1, before.of), transfer: null };
    case "child:submitted":
      return { ...before, phase: "working", of: event.payload.of, title: event.payload.title };
    case "child:finished":
      return { ...before, done: event.payload.ended, of: event.payload.of };
    case "action:failed":
      return { ...before, phase: "undoing", transfer: null };
    case "action:undone":
      // Those after it were taken back before; one that was never done is taken back as well.
      return {
        ...before,
        phase: "undoing",
        done: Math.min(before.done, event.payload.action),
        title: event.payload.title,
        transfer: null,
      };
    case "task:finished":
      return { ...before, phase: "over", title: "", transfer: null };
    default:
      return before;
  }
}
