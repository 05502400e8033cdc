export interface Lease {
  /** `site/<id>`, `server/<id>`, `platform/<id>`. */
  readonly scope: string;
  readonly mode: "shared" | "exclusive";
  readonly task: string;
  /** Rises with every grant in the store: the fencing token. What one call of `acquire` grants shares one. */
  readonly token: number;
  /** The worker that holds it, with its process: see `newHolder`. */
  readonly holder: string;
  /** Counts up; an observer judges by its own clock whether it stands still (decisions.md D14). */
  readonly heartbeat: number;
  /** Milliseconds that the heartbeat may stand still before others take its holder for dead: what the holder promised. */
  readonly lifeMs: number;
}

export interface LeaseRequest {
  readonly scope: string;
  readonly mode: Lease["mode"];
}

/** What stands in the way of a request for leases. */
export interface Blocker {
  readonly task: string;
  /** The scope that both want. */
  readonly scope: string;
  /** It has no lease of the scope, but is in line for it, in front. */
  readonly waiting: boolean;
  /** It has the lease and its holder is dead, but the task is unfinished: it is to be recovered. */
  readonly dead: boolean;
}

/** What a queued task needs before it may be claimed: see `LeaseStore`. */
export interface Wants {
  /**
   * What it is about, `site/<id>`: of the tasks of one subject only the first in line is looked at, so that a look costs
   * what there are subjects, not tasks. Its own id where it shares it with nobody.
   */
  readonly subject: string;
  /** Each scope once. */
  readonly scopes: readonly LeaseRequest[];
}

/**
 * Exclusive excludes all others, shared only exclusive ones; a task does not exclude itself. A task has one holder.
 * Leases of a dead holder go to the next task that asks, with a new token, unless their task is unfinished (`running`,
 * `cancelling`, `undoing`, `needs-attention`): then they still block others (decisions.md D9), and only another holder
 * of the same task gets them, all at once, to recover it or to resolve it.
 *
 * First come, first served (D13). The line is that of the submissions: who waits is a queued task, which holds nothing, and
 * behind it waits whoever was submitted later and wants what conflicts. Nobody waits behind a task that itself waits for
 * one that needs attention, for nobody knows how long that lasts; nor behind one that waits for another of its own
 * subject. A task that has what others wait for goes before them all: else each would wait for the other.
 * `lease-rules.ts` decides all this for every store.
 */
export interface LeaseStore {
  /** `lifeMs` of the leases that are granted here; who holds one beats six times as often. */
  readonly lifeMs: number;
  /**
   * The first queued task that nothing is in the way of; null when there is none. Tasks in `except` are passed over and
   * are in nobody's way. Reads only, and costs little while nothing has changed.
   */
  next(except: ReadonlySet<string>): Promise<string | null>;
  /**
   * Takes a queued task out of the line: it is `running`, and the holder has its own lease `task/<id>` and all that it
   * wants, in one transaction; or what is in the way. Null when it is not queued.
   */
  claim(task: string, holder: string, except?: ReadonlySet<string>): Promise<LeaseAnswer | null>;
  /**
   * Puts a running task back into the line, at the place of its submission: it is `queued`, has no lease, and wants what it
   * had leases of, and `more`. False, and nothing is changed, when it is not `running` or that holder has no lease of it.
   */
  putBack(task: string, holder: string, more: readonly LeaseRequest[]): Promise<boolean>;
  /**
   * For a task that is claimed, all or none in one transaction; for one that is queued or has ended only what somebody left of
   * it, so that who looks for the dead with an old answer gets nothing; else what is in the way: leases, then tasks in line, each
   * in order. What the holder has already for that task is kept with its token; a shared one becomes exclusive with a new
   * token, if asked. `except` as with `next`. A task that is blocked is in line with what it asked for until it is granted.
   */
  acquire(
    task: string,
    holder: string,
    scopes: readonly LeaseRequest[],
    except?: ReadonlySet<string>,
  ): Promise<LeaseAnswer>;
  /** What is in the way of a task in line, possibly nothing any more; null when it is in none. */
  waiting(task: string): Promise<readonly Blocker[] | null>;
  /** Of all leases of the task. False when the holder has none any more: stop, and start no further effect. */
  heartbeat(task: string, holder: string): Promise<boolean>;
  /**
   * The holder has done with a task that is to be gone on with, or resolved: its leases stand as those of a dead holder, so
   * that whoever looks next gets them at once (decisions.md D39).
   */
  handOver(task: string, holder: string): Promise<void>;
  /** All leases of the task, or its leases on some scopes; with a holder only what is still its own. */
  release(task: string, scopes?: readonly string[], holder?: string): Promise<void>;
  list(): Promise<readonly Lease[]>;
  /**
   * Rises with each grant, to its token, and with each call of `JournalStore.write` that writes; 0 before the first. Never
   * goes back, so that a server that saw a higher one saw a later state of this store than a restored one is in.
   */
  lastToken(): Promise<number>;
}

export type LeaseAnswer = { readonly granted: readonly Lease[] } | { readonly blockedBy: readonly Blocker[] };
