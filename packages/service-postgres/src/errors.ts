import type { DatabaseFailure } from "@hostwright/core/plugin";

/** What pg throws. The statement is not in it, but `detail` may hold values: only `message` is passed on. */
interface DriverError {
  readonly code?: string;
  readonly message?: string;
}

/** By SQLSTATE (PostgreSQL's documentation, appendix A). */
const KINDS: readonly (readonly [codes: RegExp, kind: DatabaseFailure["kind"]])[] = [
  // Starting, stopping, too many connections; whatever is no SQLSTATE comes from the connection.
  [/^(57P0[123]|53300|08...)$|^(?![0-9A-Z]{5}$)/, "lost"],
  [/^28/, "login"],
  [/^(42P04|42710)$/, "exists"],
  [/^(3D000|42704)$/, "missing"],
  // Deadlocks, serialisation, lock waits, sessions of others.
  [/^(40001|40P01|55P03|55006|57014)$/, "passing"],
];

export function explain(error: unknown): DatabaseFailure {
  const { code = "", message = "no reason given" } = (error ?? {}) as DriverError;
  return {
    kind: KINDS.find(([codes]) => codes.test(code))?.[1] ?? "refused",
    said: message,
    data: { code },
    remedy: "Let postgres log in by its unix user: `local all postgres peer` in pg_hba.conf.",
  };
}
