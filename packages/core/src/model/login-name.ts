import type { ConnectRecord } from "./records.ts";

/** Id of the secret that opens a server; null where none does. */
export function loginName(serverId: string, connect: ConnectRecord | undefined): string | null {
  if (connect?.type === "ssh") return `server/${serverId}/private-key`;
  return connect?.type === "api" ? `server/${serverId}/credentials` : null;
}
