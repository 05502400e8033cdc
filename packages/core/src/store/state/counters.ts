import type { ReadRows, Rows } from "../../contracts/store/tables.ts";
import { COUNTERS } from "../tables/named.ts";

/** Of all that ended. */
export const ENDED = "ended-tasks";
/** Of the submissions. */
export const PLACES = "task-places";
/** Of the grants of leases, which the journal raises too. */
export const TOKENS = "lease-token";

/** The next number of a counter, which begins at `from` and never goes back. */
export async function nextNumber(rows: Rows, name: string, from: number): Promise<number> {
  const [row] = await rows.get(COUNTERS, [{ name }]);
  const value = row === undefined ? from : Math.max(row.value + 1, from);
  await rows.put(COUNTERS, [{ name, value }]);
  return value;
}

/** 0 when there was none. */
export async function lastNumber(rows: ReadRows, name: string): Promise<number> {
  const [row] = await rows.get(COUNTERS, [{ name }]);
  return row?.value ?? 0;
}
