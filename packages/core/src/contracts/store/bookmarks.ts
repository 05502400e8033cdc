/** How far a reader came, by the reader's name. Who writes one holds a lease for it. */
export interface BookmarkStore {
  /** Plain JSON as it was put; null when there is none. */
  get(name: string): Promise<unknown>;
  /** Durable when it returns. */
  put(name: string, value: unknown): Promise<void>;
}
