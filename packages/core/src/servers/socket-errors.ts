import type { SocketAddress } from "../model/server.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";

export function showAddress(address: SocketAddress): string {
  return "path" in address ? address.path : `${address.host} port ${address.port}`;
}

/** Nobody listens there, or whoever does lets nobody in. */
export function nothingAnswers(server: string, address: SocketAddress, cause: unknown): HostwrightError {
  return new HostwrightError("HW_SOCKET_UNREACHABLE", `Nothing answers at ${showAddress(address)} on ${server}.`, {
    server,
    retryable: true,
    cause,
    data: { address },
  });
}
