import { HostwrightError } from "../../errors/hostwright-error.ts";

/** Where a task was when it was stopped, in words. */
export interface Stopped {
  readonly what: string;
  /** `before its commit`, `during "..." on web1`. */
  readonly where: string;
  /** What stands of it now; empty where a residue tells. */
  readonly left: string;
  readonly server?: string;
}

/** Of a task that was stopped, whatever the stop made fail: HW_TASK_TIMEOUT when its time was over, else HW_CANCELLED. */
export function cancelError(
  signal: AbortSignal,
  { what, where, left, server }: Stopped,
  cause: unknown,
): HostwrightError {
  const details = { cause, ...(server === undefined ? {} : { server }) };
  const rest = `${where}.${left === "" ? "" : ` ${left}`}`;
  if (isTimeout(signal.reason))
    return new HostwrightError("HW_TASK_TIMEOUT", `${what} ran out of time ${rest}`, details);
  const remedy = "Submit it again when it is wanted.";
  return new HostwrightError("HW_CANCELLED", `${what} was cancelled ${rest}`, { ...details, remedy });
}

/** Also of the application's own `AbortSignal.timeout`. */
export function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}
