/** The time of day. What only waits, and what ends what hangs, goes by the machine's own monotonic clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** This machine's. */
export const SYSTEM_CLOCK: Clock = { now: () => Date.now() };

/** Now, or so many milliseconds later, as the store keeps it: ISO 8601 in UTC, whose order as text is its order in time. */
export function timeText(clock: Clock, laterMs = 0): string {
  return new Date(clock.now() + laterMs).toISOString();
}
