/** The clock of this machine. */
export const SYSTEM_CLOCK: { now(): number } = { now: () => Date.now() };

/** As the store keeps it: ISO 8601 in UTC, whose order as text is its order in time. */
export function timeText(clock: { now(): number }, ago = 0): string {
  return new Date(clock.now() - ago).toISOString();
}
