/** How far a reader came, by the reader's name. Who writes one holds a lease for it. */
export interface BookmarkStore {
  /** Plain JSON as it was put; null when there is none. */
  get(name: string): Promise<unknown>;
  /**
   * Durable when it returns. With a holder only while that has a lease of the task of this name, in the same transaction: a
   * reader that slept does not write over another's. @throws HW_LEASE_LOST
   */
  put(name: string, value: unknown, holder?: string): Promise<void>;
}
