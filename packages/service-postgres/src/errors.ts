import { HostwrightError, isHostwrightError } from "@hostwright/core";

/** What pg throws. The statement is not in it, but `detail` may hold values: only `message` is passed on. */
interface DriverError {
  readonly code?: string;
  readonly message?: string;
}

/** By SQLSTATE (PostgreSQL's documentation, appendix A). */
export const ALREADY_EXISTS: ReadonlySet<string> = new Set(["42P04", "42710"]);
export const NOT_THERE: ReadonlySet<string> = new Set(["3D000", "42704"]);
/** Deadlocks, serialisation, lock waits, sessions of others: they pass. */
const PASSING = new Set(["40001", "40P01", "55P03", "55006", "57014"]);
/** Starting, stopping, too many connections. */
const ENDED = /^(57P0[123]|53300|08)/;

/** The same failure as an error of ours. */
export function databaseError(server: string, error: unknown, doing: string): HostwrightError {
  if (isHostwrightError(error)) return unreached(server, error, doing);
  const { code = "", message = "no reason given" } = (error ?? {}) as DriverError;
  const said = message.replace(/[\p{Cc}\s]+/gu, " ").slice(0, 500);
  const details = { server, data: { code } };
  if (!/^[0-9A-Z]{5}$/.test(code) || ENDED.test(code) || code.startsWith("28")) {
    return new HostwrightError(
      "HW_DATABASE_UNREACHABLE",
      `The database server on ${server} ended the connection while ${doing}: ${said}. What it was doing may be done in part.`,
      { ...details, retryable: !code.startsWith("28") },
    );
  }
  return new HostwrightError(
    "HW_DATABASE_FAILED",
    `The database server on ${server} refused a statement while ${doing}: ${said}. What came before it is done, the rest is not.`,
    { ...details, retryable: PASSING.has(code) },
  );
}

/** The way to the socket failed. A server that cannot be reached at all says so itself. */
function unreached(server: string, error: HostwrightError, doing: string): HostwrightError {
  if (error.code !== "HW_SOCKET_UNREACHABLE" && error.code !== "HW_PERMISSION_DENIED") return error;
  const message = `The database server on ${server} does not answer on its socket while ${doing}. Nothing was changed.`;
  return new HostwrightError("HW_DATABASE_UNREACHABLE", message, {
    server,
    retryable: true,
    cause: error,
    mend: "Start it (pg_lsclusters tells which there are), or correct the service's version, cluster and port.",
  });
}
