import type { SocketAddress } from "../model/server.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { nothingAnswers, showAddress } from "./socket-errors.ts";

export interface Endpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** SSH_OPEN_CONNECT_FAILED: too many sessions, or nothing listens at a forward's end. */
export const OPEN_FAILED = 2;

/** How far a connection had come when it failed. */
export type Phase = "lookup" | "connect" | "handshake" | "authentication";

export type Unreachable = "refused" | "timeout" | "dns" | "network" | "reset" | "protocol";

const REASONS: Readonly<Record<string, Unreachable>> = {
  ECONNREFUSED: "refused",
  ETIMEDOUT: "timeout",
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  ECONNRESET: "reset",
  EPIPE: "reset",
};

const WORDS: Readonly<Record<Unreachable, string>> = {
  refused: "refused the connection: nothing listens there",
  timeout: "did not answer in time",
  dns: "has a name that does not resolve, or not in time",
  network: "cannot be reached over the network",
  reset: "ended the connection before it was open; sshd may be overloaded (MaxStartups) or penalise this address",
  protocol: "speaks no SSH that is understood here",
};

export function unreachable(endpoint: Endpoint, reason: Unreachable, cause?: unknown): HostwrightError {
  const { name, host, port } = endpoint;
  return new HostwrightError(
    "HW_SSH_UNREACHABLE",
    `${name} (${host} port ${port}) ${WORDS[reason]}. Nothing was run.`,
    {
      server: name,
      retryable: reason !== "protocol",
      cause,
      data: { host, port, reason },
    },
  );
}

export function authenticationFailed(endpoint: Endpoint, cause: unknown): HostwrightError {
  const { name, host, user } = endpoint;
  return new HostwrightError(
    "HW_SSH_AUTH",
    `${name} (${host}) does not let ${user} in with the given key. Nothing was run.`,
    {
      server: name,
      cause,
      data: { host, user },
    },
  );
}

export function hostKeyRefused(
  endpoint: Endpoint,
  expected: readonly string[],
  got: string,
  type: string,
): HostwrightError {
  const { name, host, port } = endpoint;
  const known = expected.length === 0 ? "no key is recorded" : `recorded: ${expected.join(", ")}`;
  return new HostwrightError(
    "HW_SSH_HOST_KEY",
    `${name} (${host} port ${port}) shows the host key ${got} (${type}); ${known}. Nothing was run.`,
    {
      server: name,
      data: { host, port, expected: [...expected], got, type },
    },
  );
}

export function connectionLost(server: string, what: string, cause?: unknown): HostwrightError {
  return new HostwrightError("HW_SSH_LOST", `The connection to ${server} was lost ${what}.`, {
    server,
    retryable: true,
    cause,
  });
}

/** What a failure to connect means, by how far the connection had come. */
export function connectError(endpoint: Endpoint, phase: Phase, error: Error): HostwrightError {
  const { code, level } = error as { code?: unknown; level?: unknown };
  const known = typeof code === "string" ? REASONS[code] : undefined;
  if (known !== undefined) return unreachable(endpoint, known, error);
  if (phase === "lookup" || phase === "connect") return unreachable(endpoint, "network", error);
  if (phase === "authentication") return authenticationFailed(endpoint, error);
  return unreachable(endpoint, level === "handshake" ? "protocol" : "reset", error);
}

export function sessionRefused(server: string, cause: unknown): HostwrightError {
  return new HostwrightError(
    "HW_PERMISSION_DENIED",
    `${server} gives no session for a command (${(cause as Error).message}). Nothing was run.`,
    {
      server,
      retryable: true,
      cause,
      remedy: "Check sshd's MaxSessions (10 is its default), and that the key may run commands.",
    },
  );
}

export function forwardError(server: string, address: SocketAddress, cause: unknown): HostwrightError {
  if ((cause as { reason?: unknown }).reason === OPEN_FAILED) return nothingAnswers(server, address, cause);
  return new HostwrightError("HW_PERMISSION_DENIED", `sshd on ${server} does not forward to ${showAddress(address)}.`, {
    server,
    cause,
    remedy: "Allow it in sshd_config by AllowTcpForwarding and AllowStreamLocalForwarding.",
    data: { address },
  });
}
