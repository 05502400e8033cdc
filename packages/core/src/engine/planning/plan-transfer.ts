import type { TransferStep } from "../../contracts/steps.ts";
import type { TransferAction } from "./plan.ts";

const IDLE_MS = 5 * 60_000;
const LONGEST_MS = 24 * 60 * 60_000;

/** What a transfer's action has of its own. */
export function planTransfer({
  from: { server, ...from },
  to,
  bytes,
  idleMs = IDLE_MS,
  timeoutMs = LONGEST_MS,
}: Pick<TransferStep, "from" | "to" | "bytes" | "idleMs" | "timeoutMs">): Pick<
  TransferAction,
  "from" | "to" | "bytes" | "idleMs" | "timeoutMs"
> {
  return { from: { ...from, server: server.id, serverName: server.name }, to, bytes: bytes ?? null, idleMs, timeoutMs };
}
