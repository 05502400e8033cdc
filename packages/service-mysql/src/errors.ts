import type { DatabaseFailure } from "@hostwright/core/plugin";

/** What mysql2 throws. `sql` holds the whole statement, hashes included. */
interface DriverError {
  readonly errno?: number;
  readonly code?: string;
  readonly sqlMessage?: string;
  readonly message?: string;
}

const PARSE_ERROR = 1064;

/** By the server's error numbers. */
const KINDS: ReadonlyMap<number, DatabaseFailure["kind"]> = new Map(
  Object.entries({
    login: [1045, 1698],
    exists: [1007, 1396],
    missing: [1008, 1049],
    // Lock waits and deadlocks.
    passing: [1205, 1213],
    // The server refuses or ends sessions: too many connections, shutdown, killed, aborted.
    lost: [1040, 1053, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1927, 4031],
  } as const).flatMap(([kind, numbers]) => numbers.map((number) => [number, kind as DatabaseFailure["kind"]] as const)),
);

const LOGIN =
  "Let root log in by its unix user (MariaDB: unix_socket, MySQL: auth_socket). The SSH login must be root itself: sudo does not count for a socket.";

export function explain(error: unknown): DatabaseFailure {
  const { errno = 0, code = "", sqlMessage, message } = (error ?? {}) as DriverError;
  return {
    kind: KINDS.get(errno) ?? (sqlMessage === undefined ? "lost" : "refused"),
    said: errno === PARSE_ERROR ? "a syntax error" : (sqlMessage ?? message ?? "no reason given"),
    data: { errno, code },
    remedy: LOGIN,
  };
}
