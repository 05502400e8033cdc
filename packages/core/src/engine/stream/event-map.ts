import type { TaskState } from "../../contracts/store.ts";
import type { Residue } from "../../model/residue.ts";

/** Every event by its `noun:verb` name. The union is open: plugins and later versions add to it. */
export interface EventMap {
  /**
   * First to a reader whose cursor `after` lies before events that are not kept any more, up to `upTo` (the option
   * `retention`, or a lost events.db): what it has missed stands in tasks and records. Never stored.
   */
  "events:removed": { readonly after: number; readonly upTo: number };
  "task:submitted": { readonly type: string; readonly title: string; readonly actor: string };
  /**
   * It waits for others. Told of a task that `run` waits for, again whenever what is in its way changes, and of one that went
   * back into the queue since its plan needs more than it had. `Task.waiting` tells the same of a task that is only queued.
   * `position` is 1 when only tasks that hold leases are in the way, and one more for each task in front of it.
   */
  "task:waiting": {
    readonly position: number;
    readonly blockedBy: readonly { readonly task: string; readonly scope: string }[];
  };
  "task:started": { readonly actions: number };
  /** Another worker goes on with it, after the first one died. */
  "task:recovered": { readonly state: TaskState };
  /** A worker that started cannot finish it and leaves it for one that has what is missing; in words, once per worker. */
  "task:stranded": { readonly missing: readonly string[] };
  /** A line of a running operation; free of secrets and control characters. */
  "task:log": { readonly action: number; readonly server: string; readonly line: string };
  "task:committed": Record<never, never>;
  "task:finished": { readonly state: TaskState; readonly error: unknown; readonly residue: readonly Residue[] };
  /** A child of the task, `child` counted from 0, was put into the queue. Its own events stand under its own id. */
  "child:submitted": { readonly child: number; readonly of: number; readonly task: string; readonly title: string };
  /** A child has ended; `ended` and `failed` count all that have by now. After the death of a worker it may come twice. */
  "child:finished": {
    readonly child: number;
    readonly of: number;
    readonly task: string;
    readonly title: string;
    readonly state: TaskState;
    readonly ended: number;
    readonly failed: number;
  };
  "action:started": { readonly action: number; readonly of: number; readonly server: string; readonly title: string };
  /**
   * How far a transfer is: at most once a second, and further apart the longer it lasts. `bytes` has those that were there
   * before it, where that is known; `of` is what is expected, null where nobody knows.
   */
  "action:progress": {
    readonly action: number;
    readonly server: string;
    readonly title: string;
    readonly bytes: number;
    readonly of: number | null;
  };
  "action:finished": { readonly action: number; readonly server: string; readonly title: string; readonly ms: number };
  "action:failed": {
    readonly action: number;
    readonly server: string;
    readonly title: string;
    readonly code: string;
    readonly message: string;
  };
  "action:undone": {
    readonly action: number;
    readonly server: string;
    readonly title: string;
    readonly residue: readonly Residue[];
  };
  /** Given up after its last try; see `Notifier`. Nobody is notified of this. */
  "notification:failed": {
    readonly notifier: string;
    readonly notification: string;
    readonly tries: number;
    readonly reason: string;
  };
  /** So many events that came before this one could not be stored for too long, and are missing. */
  "events:lost": { readonly count: number };
  "publication:published": {
    readonly server: string;
    readonly service: string;
    readonly generation: number;
    readonly reloaded: boolean;
  };
  /** Entries of others that the service refused: they are not in the generation in force, and wait for their owners. */
  "publication:quarantined": {
    readonly server: string;
    readonly service: string;
    /** In force now; 0 when there is none yet. */
    readonly generation: number;
    readonly entries: readonly {
      /** File name: `s7k2m9xq4t.conf`. */
      readonly name: string;
      /** `site/<id>`; null when no record has it. */
      readonly owner: string | null;
      /** What the web server said, in one line. */
      readonly reason: string;
    }[];
  };
}

export type EventType = keyof EventMap;

export type HostwrightEvent = {
  [Type in EventType]: {
    readonly seq: number;
    readonly at: string;
    readonly task: string | null;
    readonly type: Type;
    readonly payload: EventMap[Type];
  };
}[EventType];

export type Listener = (event: HostwrightEvent) => void;
