import type { Target } from "../../contracts/resource.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { bounded } from "../../operations/remote-unit.ts";
import { runChecked } from "../../servers/checked.ts";
import type { TransferAction } from "../planning/plan.ts";
import { unpackFrames } from "./frames.ts";
import { isWhole, ReportLines } from "./report.ts";
import { beside, between } from "./routes.ts";
import { transferError } from "./transfer-error.ts";
import { ALONE, pumpUnit, resultOf, SLACK_MS, stopUnit } from "./units.ts";

const MOST_THERE = 1024 * 1024;

export interface TransferContext {
  readonly from: Target;
  readonly to: Target;
  /** Names its units. */
  readonly attempt: string;
  /** Takes the task's secrets out of what a program said. */
  redact(text: string): string;
  /** Bytes that are there by now, with those from before where that is known. */
  onBytes(bytes: number): void;
}

export interface TransferOutput {
  /** That this attempt moved. */
  readonly bytes: number;
  /** Bytes that were there before; absent where the sink did not say so. */
  readonly resumedFrom?: number;
}

/**
 * Moves the bytes. Only a whole stream counts (decisions.md D7): both programs ended well, the trailer was seen, and as many
 * bytes were taken as were given. When it throws, what could be stopped is stopped; `stopTransfer` does the rest.
 * @throws HW_TRANSFER_FAILED, HW_TRANSFER_STALLED, HW_DISK_FULL, HW_COMMAND_TIMEOUT, HW_CANCELLED, and what a server throws
 */
export async function runTransfer(action: TransferAction, context: TransferContext): Promise<TransferOutput> {
  const { signal } = context.to;
  // At once: the scripts that wait for the units end with them.
  const stop = (): void => void stopTransfer(context).catch(() => undefined);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const there = await whatIsThere(action, context);
    const before = /^\s*\d{1,15}\s*$/.test(there.toString("latin1")) ? Number(there.toString("latin1")) : 0;
    const bytes = await move(action, context, { there, before });
    return { bytes, ...(before === 0 ? {} : { resumedFrom: before }) };
  } catch (error) {
    await stopTransfer(context).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Stops what runs of an attempt, at both ends. @throws HW_COMMAND_TIMEOUT when something lives on, and what a server throws */
export async function stopTransfer({
  from,
  to,
  attempt,
}: Pick<TransferContext, "from" | "to" | "attempt">): Promise<void> {
  const stops = [stopUnit(to, attempt, "has"), stopUnit(to, attempt, "to"), stopUnit(from, attempt, "from")];
  const failed = (await Promise.allSettled(stops)).find((stop) => stop.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function move(
  action: TransferAction,
  { from, to, attempt, redact, onBytes }: TransferContext,
  { there, before }: { readonly there: Buffer; readonly before: number },
): Promise<number> {
  const lines = new ReportLines((taken) => onBytes(before + taken));
  const giving = pumpUnit(from, { attempt, role: "from" }, { ...action.from, input: there }, action);
  const taking = pumpUnit(to, { attempt, role: "to" }, action.to, action);
  const route = action.server === action.from.server ? beside : between;
  const { error, stderr } = await route({ from, to, giving, taking, timeoutMs: action.timeoutMs, lines });
  const report = lines.report();
  if (!isWhole(report)) {
    if (to.signal.aborted) throw cancelled(action);
    if (error !== null) throw error;
    const results = await Promise.all([resultOf(from, attempt, "from"), resultOf(to, attempt, "to")]);
    const said = redact(stderr);
    throw transferError(action, { report, results: { from: results[0], to: results[1] }, said });
  }
  const { writes = [] } = action.to;
  if (writes.length > 0)
    await runChecked(to.server, {
      argv: ["sync", "-f", "--", ...writes],
      signal: to.signal,
      timeoutMs: action.timeoutMs,
    });
  return report.taken;
}

/** What the sink says that it has; empty where nobody asks it. */
async function whatIsThere(action: TransferAction, { to, attempt, redact }: TransferContext): Promise<Buffer> {
  const { resume, login, properties } = action.to;
  if (resume === undefined) return Buffer.alloc(0);
  const end = { kind: "program", argv: resume, properties, ...(login === undefined ? {} : { login }) } as const;
  const unit = pumpUnit(to, { attempt, role: "has" }, end, action);
  const result = await to.mutate({
    script: ALONE,
    args: unit.words,
    stdin: unit.input,
    timeoutMs: action.timeoutMs + SLACK_MS,
    maxOutputBytes: 2 * MOST_THERE,
  });
  if (result.aborted) throw cancelled(action);
  const { bytes, end: ended } = unpackFrames(result.stdout);
  if (ended?.startsWith("0 ") === true && bytes.length <= MOST_THERE) return bytes;
  const long = bytes.length > MOST_THERE ? ": its answer is longer than 1 MiB" : "";
  throw new HostwrightError(
    "HW_TRANSFER_FAILED",
    `"${action.title}" was not begun: ${resume[0]} on ${action.serverName} could not say what is there already${long}.`,
    { server: action.serverName, output: bounded(redact(result.stderr).trim()) },
  );
}

function cancelled({ title, serverName }: TransferAction): HostwrightError {
  return new HostwrightError("HW_CANCELLED", `"${title}" was stopped.`, { server: serverName });
}
