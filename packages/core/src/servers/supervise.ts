import type { Writable } from "node:stream";
import type { Command, CommandResult } from "../model/server.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { BoundedOutput } from "./bounded-output.ts";
import { feedStdin } from "./feed-stdin.ts";
import type { Ending, RunningProcess } from "./running-process.ts";
import type { SessionReaper } from "./session-reaper.ts";
import { within } from "./within.ts";

export const DEFAULT_TIMEOUT_MS = 60_000;
export const DEFAULT_MAX_OUTPUT_BYTES: number = 16 * 1024 * 1024;

/** Of what goes wrong nobody reads more. */
const MAX_ERROR_BYTES = 1024 * 1024;

/** setTimeout takes no more; nothing runs for 24 days. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

interface Stop {
  readonly reason: "timeout" | "abort" | "input";
  readonly cause?: Error;
}

export interface Supervision {
  readonly server: string;
  readonly reaper: SessionReaper;
  /** For a command to tell its session, and for its pipes to close once its session is gone. */
  readonly graceMs: number;
  /** The caller's own wish. */
  readonly signal: AbortSignal | undefined;
  /** The server is being closed. */
  readonly closing: AbortSignal;
}

/**
 * Sees a command through: feeds it, keeps its output, and ends all of its session when its time is over, its caller
 * aborts, or its input breaks off. When it returns nothing of the command runs any longer.
 */
export async function supervise(
  process: RunningProcess,
  command: Command,
  supervision: Supervision,
): Promise<CommandResult> {
  const limit = command.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
  const stdout = new BoundedOutput(limit);
  const stderr = new BoundedOutput(Math.min(limit, MAX_ERROR_BYTES));
  const { promise: stopping, resolve: stop } = Promise.withResolvers<Stop>();
  const abort = (): void => stop({ reason: "abort" });
  const timer = setTimeout(
    () => stop({ reason: "timeout" }),
    Math.min(command.timeoutMs ?? DEFAULT_TIMEOUT_MS, LONGEST_TIMEOUT_MS),
  );
  const signals = [supervision.signal, supervision.closing].filter((signal) => signal !== undefined);
  for (const signal of signals) {
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
  }
  let stopFeeding = (): void => {};
  try {
    process.onOutput(
      command.stdout === undefined ? (chunk) => stdout.add(chunk) : passOn(process, command.stdout),
      (chunk) => stderr.add(chunk),
    );
    if (process.stdin !== null && command.stdin !== undefined) {
      stopFeeding = feedStdin(process.stdin, command.stdin, (cause) => stop({ reason: "input", cause }));
    }
    const first = await Promise.race([process.ended, stopping]);
    const stopped = "reason" in first ? first : null;
    const ending = "reason" in first ? await endSession(process, supervision) : first;
    if (stopped?.reason === "input") throw brokenInput(supervision.server, stopped.cause);
    return {
      ...ending,
      stdout: stdout.bytes(),
      stderr: stderr.bytes().toString("utf8"),
      timedOut: stopped?.reason === "timeout",
      aborted: stopped?.reason === "abort",
      truncated: stdout.truncated || stderr.truncated,
    };
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener("abort", abort);
    stopFeeding();
    process.release();
  }
}

/** Keeps no more in memory than the taker's own buffer. What it does not take any longer is dropped. */
function passOn(process: RunningProcess, taker: Writable): (chunk: Buffer) => void {
  const resume = (): void => process.resume();
  taker.once("close", resume);
  return (chunk) => {
    if (chunk.length === 0 || taker.destroyed || taker.write(chunk)) return;
    process.pause();
    taker.once("drain", resume);
  };
}

async function endSession(process: RunningProcess, { server, reaper, graceMs }: Supervision): Promise<Ending> {
  // The loss of a connection while the session is being ended shows itself there, too.
  process.ended.catch(() => {});
  const session = await within(graceMs, process.session);
  if (session === undefined) {
    throw new HostwrightError(
      "HW_SSH_LOST",
      `A command on ${server} was to be stopped but does not answer. It may still run.`,
      {
        server,
        retryable: true,
      },
    );
  }
  if (session !== null && !(await reaper.end(session))) {
    throw new HostwrightError(
      "HW_COMMAND_TIMEOUT",
      `A command on ${server} was stopped but did not end, not even by SIGKILL. Its session ${session} still runs.`,
      {
        server,
        remedy: `Look at the server: ps -s ${session}. A process in state D waits for a disk or a network file system.`,
        data: { session, survived: true },
      },
    );
  }
  return (await within(graceMs, process.ended)) ?? { exitCode: null, signal: null };
}

function brokenInput(server: string, cause: Error | undefined): HostwrightError {
  return new HostwrightError(
    "HW_COMMAND_FAILED",
    `The input of a command on ${server} broke off (${cause?.message ?? "unknown cause"}). The command was stopped.`,
    {
      server,
      cause,
      remedy: "Find out why the source of the input ended, then run the command again.",
    },
  );
}
