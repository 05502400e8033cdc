/** A plan that was made to be read and approved before it is run (decisions.md D1). */
export interface StoredPlan {
  readonly id: string;
  /** Id of the task that runs it once it is approved: it is given before there is one. */
  readonly task: string;
  /** As in `StoredTask`: what whoever has no key may know of it. */
  readonly request: unknown;
  readonly title: string;
  /** What an approval names; empty while it is being made. */
  readonly hash: string;
  /** Ciphertext; null while it is being made. */
  readonly sealed: string | null;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

/** Plans whose task is neither `succeeded` nor `undone` are in neither of the two lists: they are not to go. */
export interface PlanStore {
  /** Sets it, whether it was there or not. */
  put(plan: StoredPlan): Promise<void>;
  /** Also one whose time is over, until it is removed. */
  get(id: string): Promise<StoredPlan | null>;
  /** Those whose time was over before `time` (ISO 8601, UTC), in order of their ids, at most `limit`; default: all. */
  expired(time: string, limit?: number): Promise<readonly Pick<StoredPlan, "id" | "task">[]>;
  /** All but the `keep` whose time is over last, at most `limit`, those first whose time is over first. */
  surplus(keep: number, limit: number): Promise<readonly Pick<StoredPlan, "id" | "task">[]>;
  /** All in one transaction. What is not there is no error. */
  remove(ids: readonly string[]): Promise<void>;
}
