import type { TaskState } from "./store.ts";

/** `task.succeeded`, or `task.failed`: it was undone (also because it was cancelled) or needs attention. */
export type NotificationType = "task.succeeded" | "task.failed";

/** The end of a task, as somebody outside is told of it. Holds no secrets, and is bounded: no text is longer than
 * 2,000 characters, no list than 20. */
export interface Notification {
  /** The same for every try, and after a crash: whoever gets it twice knows it by this. Letters, digits and `_`. */
  readonly id: string;
  readonly type: NotificationType;
  /** When the task ended; ISO 8601, UTC. */
  readonly timestamp: string;
  readonly data: {
    readonly task: string;
    /** Type of the task: `site:install`. */
    readonly type: string;
    /** Domain or name that was asked for; null when the request names none. */
    readonly about: string | null;
    readonly actor: string;
    readonly state: Extract<TaskState, "succeeded" | "undone" | "needs-attention">;
    readonly createdAt: string;
    /** What stopped it, with what to do next; null when it succeeded. */
    readonly error: {
      readonly code: string;
      readonly message: string;
      readonly remedy: string;
      readonly server: string | null;
    } | null;
    /** What was left behind: the first 20 of `residueCount`. */
    readonly residue: readonly {
      readonly server: string;
      readonly type: string;
      readonly key: string;
      readonly reason: string;
    }[];
    readonly residueCount: number;
    /** Words, numbers and truth values of what the task gave back; secrets are left out. */
    readonly value: Readonly<Record<string, string | number | boolean>>;
  };
}

/** Tells somebody outside of ended tasks: a webhook, mail, a chat. Stateless; the engine remembers what was sent. */
export interface Notifier {
  /**
   * Names what it remembers in the store: unique in an instance, the same in every process, and kept, else it begins anew
   * with the tasks that end from then on.
   */
  readonly name: string;
  /** Default: all. */
  readonly events?: readonly NotificationType[];
  /**
   * Milliseconds between the tries, each lengthened by up to a fifth at random; after the last one it is given up. Default:
   * 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
   */
  readonly retryMs?: readonly number[];
  /** Milliseconds for one try; default 15,000, at most 30,000. */
  readonly timeoutMs?: number;
  /**
   * Delivers it, or throws: then it is tried again later, unless what it throws is a HostwrightError that is not
   * `retryable`. It may be called again for what it delivered: after a crash, or when it took too long.
   */
  send(notification: Notification, signal: AbortSignal): Promise<void>;
}
