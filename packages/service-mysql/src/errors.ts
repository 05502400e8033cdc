import { HostwrightError, isHostwrightError } from "@hostwright/core";

/** What mysql2 throws. `sql` holds the whole statement, hashes included: the error itself is never passed on. */
interface DriverError {
  readonly errno?: number;
  readonly code?: string;
  readonly sqlMessage?: string;
  readonly message?: string;
}

const ACCESS_DENIED = new Set([1045, 1698]);
const PARSE_ERROR = 1064;
/** Lock waits and deadlocks pass. */
const PASSING = new Set([1205, 1213]);
/** The server refuses or ends sessions: too many connections, shutdown, killed, aborted. */
const SESSION_ENDED = new Set([1040, 1053, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1927, 4031]);

export const ALREADY_EXISTS: ReadonlySet<number> = new Set([1007, 1396]);
export const NOT_THERE: ReadonlySet<number> = new Set([1008, 1049]);

/** The same failure as an error of ours, without statement, password or hash. */
export function databaseError(server: string, error: unknown, doing: string): HostwrightError {
  if (isHostwrightError(error)) return forwarded(server, error, doing);
  const { errno = 0, code = "", sqlMessage, message } = (error ?? {}) as DriverError;
  const said = clean(errno === PARSE_ERROR ? "a syntax error" : (sqlMessage ?? message ?? "no reason given"));
  const details = { server, data: { errno, code } };
  if (ACCESS_DENIED.has(errno)) {
    return new HostwrightError(
      "HW_DATABASE_UNREACHABLE",
      `The database server on ${server} does not let root in over its socket while ${doing}: ${said}. Nothing was changed.`,
      {
        ...details,
        // A server whose disk fails, and one that just begins, refuse everybody: seen of MariaDB at a loss of power.
        retryable: true,
        mend: "Let root log in by its unix user (MariaDB: unix_socket, MySQL: auth_socket). The SSH login must be root itself: sudo does not count for a socket.",
      },
    );
  }
  if (sqlMessage === undefined || SESSION_ENDED.has(errno)) {
    return new HostwrightError(
      "HW_DATABASE_UNREACHABLE",
      `The database server on ${server} ended the connection while ${doing}: ${said}. What it was doing may be done in part.`,
      {
        ...details,
        retryable: true,
      },
    );
  }
  return new HostwrightError(
    "HW_DATABASE_FAILED",
    `The database server on ${server} refused a statement while ${doing}: ${said}. What came before it is done, the rest is not.`,
    {
      ...details,
      retryable: PASSING.has(errno),
    },
  );
}

/** The way to the socket failed. A server that cannot be reached at all says so itself. */
function forwarded(server: string, error: HostwrightError, doing: string): HostwrightError {
  if (error.code !== "HW_SOCKET_UNREACHABLE" && error.code !== "HW_PERMISSION_DENIED") return error;
  return new HostwrightError(
    "HW_DATABASE_UNREACHABLE",
    `The database server on ${server} does not answer on its socket while ${doing}. Nothing was changed.`,
    {
      server,
      retryable: true,
      cause: error,
      mend: "Start it (systemctl status mariadb tells why it stopped), or correct the service's socket path.",
    },
  );
}

function clean(message: string): string {
  const oneLine = message.replace(/[\p{Cc}\s]+/gu, " ");
  return oneLine
    .replace(/\*[0-9A-Fa-f]{40}|\$A\$\S+/g, "[hash]")
    .slice(0, 500)
    .replace(/\.$/, "");
}
