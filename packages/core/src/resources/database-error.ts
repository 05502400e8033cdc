import { HostwrightError, isHostwrightError } from "../errors/hostwright-error.ts";

/** What an error of a database's library means, without statement and values. */
export interface DatabaseFailure {
  /**
   * `exists` and `missing`: somebody else was quicker; `refused`: a statement was; `passing`: it was, and may be tried again,
   * such as after a deadlock; `lost`: the session is over, and what it was doing may be done in part; `login`: the
   * administrator is not let in.
   */
  readonly kind: "exists" | "missing" | "refused" | "passing" | "lost" | "login";
  /** The server's own words; line breaks and hashes of passwords are taken out here. */
  readonly said: string;
  /** The server's code of it. */
  readonly data: Readonly<Record<string, unknown>>;
  /** For `login`. Default: that of the error's code. */
  readonly remedy?: string;
}

/** As `mysql_native_password`, `caching_sha2_password` and `pg_authid` hold them. */
const HASHES = /\*[0-9A-Fa-f]{40}|\$A\$\S+|SCRAM-SHA-256\$\S+/g;

/** A library's error as one of ours: the error itself, which may hold statement, password or hash, is never passed on. */
export function databaseError(
  server: string,
  driver: { readonly explain: (error: unknown) => DatabaseFailure; readonly remedy: string },
  error: unknown,
  doing: string,
): HostwrightError {
  const where = `The database server on ${server}`;
  if (isHostwrightError(error)) {
    // A server that cannot be reached at all says so itself.
    if (error.code !== "HW_SOCKET_UNREACHABLE" && error.code !== "HW_PERMISSION_DENIED") return error;
    const message = `${where} does not answer on its socket while ${doing}. Nothing was changed.`;
    const details = { server, retryable: true, cause: error, remedy: driver.remedy };
    return new HostwrightError("HW_DATABASE_UNREACHABLE", message, details);
  }
  const { kind, said, data, remedy } = driver.explain(error);
  const words = said
    .replace(/[\p{Cc}\s]+/gu, " ")
    .replace(HASHES, "[hash]")
    .slice(0, 500)
    .replace(/\.$/, "");
  if (kind === "login") {
    const message = `${where} does not let its administrator in over its socket while ${doing}: ${words}. Nothing was changed.`;
    // A server whose disk fails, and one that just begins, refuse everybody: seen of MariaDB at a loss of power.
    const details = { server, data, retryable: true, ...(remedy === undefined ? {} : { remedy }) };
    return new HostwrightError("HW_DATABASE_UNREACHABLE", message, details);
  }
  if (kind === "lost") {
    const message = `${where} ended the connection while ${doing}: ${words}. What it was doing may be done in part.`;
    return new HostwrightError("HW_DATABASE_UNREACHABLE", message, { server, data, retryable: true });
  }
  const message = `${where} refused a statement while ${doing}: ${words}. What came before it is done, the rest is not.`;
  return new HostwrightError("HW_DATABASE_FAILED", message, { server, data, retryable: kind === "passing" });
}
