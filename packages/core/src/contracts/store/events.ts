export interface StoredEvent {
  /** In commit order, without gaps seen by a reader. */
  readonly seq: number;
  readonly at: string;
  readonly task: string | null;
  /** `noun:verb`. */
  readonly type: string;
  readonly payload: unknown;
}

export interface EventStore {
  /** Numbers rise, but may leap: an event is never given a number below one that a reader has seen. */
  append(events: readonly Omit<StoredEvent, "seq">[]): Promise<readonly StoredEvent[]>;
  /** Events after a cursor in order, at most `limit` (default 500). */
  after(seq: number, options?: { readonly task?: string; readonly limit?: number }): Promise<readonly StoredEvent[]>;
  /** A cursor after all events so far; 0 when there never was one. */
  last(): Promise<number>;
  /**
   * Removes the oldest events of a task, or the oldest of all as long as they are from before a time (ISO 8601, UTC), at
   * most `limit`. A cursor stays good: who had read less goes on with what is there. @returns how many were removed
   */
  remove(which: { readonly task: string } | { readonly before: string }, limit: number): Promise<number>;
  /** Number of the last event that went by its age; 0 when none did. A reader whose cursor is lower has missed some. */
  removedUpTo(): Promise<number>;
}
