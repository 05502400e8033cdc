/** The time of day. What only waits, and what ends what hangs, goes by the machine's own monotonic clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}
