import { PassThrough } from "node:stream";
import type { Target } from "../../contracts/resource.ts";
import type { CommandResult } from "../../model/server.ts";
import { isWhole, type ReportLines } from "./report.ts";
import { ALONE, SLACK_MS, type PumpUnit } from "./units.ts";

export interface Route {
  readonly from: Target;
  readonly to: Target;
  readonly giving: PumpUnit;
  readonly taking: PumpUnit;
  readonly timeoutMs: number;
  readonly lines: ReportLines;
}

/** What a route's scripts came to, where they came to an end at all. */
export interface RouteEnd {
  /** What stopped it before its programs had ended; null: nothing. */
  readonly error: Error | null;
  /** Of both programs. */
  readonly stderr: string;
}

// Arguments: the bytes of the taking unit's input, how many words `systemd-run` gets for the giving one, its words, those of
// the taking one. Input: that of the taking unit, then that of the giving one. Neither sees the other's: they may be of
// different users.
const BESIDE = `
set -f
bytes=$1 words=$2; shift 2
input=$(head -c "$bytes"; echo .); input=\${input%.}
give() {
  count=0
  for word do
    [ "$count" -gt 0 ] || set --
    count=$((count + 1)); [ "$count" -gt "$words" ] || set -- "$@" "$word"
  done
  systemd-run "$@"
}
give "$@" | { printf %s "$input"; exec cat; } | { shift "$words"; systemd-run "$@"; }
`;

/** Both ends on one server: piped there. */
export async function beside({ to, giving, taking, timeoutMs, lines }: Route): Promise<RouteEnd> {
  const args = [String(taking.input.length), String(giving.words.length), ...giving.words, ...taking.words];
  const stdin = Buffer.concat([taking.input, giving.input]);
  const [end] = await Promise.allSettled([
    to.mutate({ script: BESIDE, args, stdin, stdout: lines, timeoutMs: timeoutMs + SLACK_MS }),
  ]);
  return { error: end.status === "rejected" ? (end.reason as Error) : null, stderr: stderrOf([end]) };
}

/**
 * Two servers: through this process, which holds what fits its pipes and no more. A stream that breaks off only ends here:
 * whoever takes it misses the end that belongs to a whole one.
 */
export async function between({ from, to, giving, taking, timeoutMs, lines }: Route): Promise<RouteEnd> {
  const stream = new PassThrough();
  // Whoever takes may go first.
  stream.on("error", () => undefined);
  stream.write(taking.input);
  const gone = new AbortController();
  const limit = timeoutMs + SLACK_MS;
  let error: Error | null = null;
  const receive = async (): Promise<CommandResult> => {
    try {
      return await to.mutate({ script: ALONE, args: taking.words, stdin: stream, stdout: lines, timeoutMs: limit });
    } catch (lost) {
      error ??= lost as Error;
      throw lost;
    } finally {
      // What is still given to nobody is stopped.
      if (!isWhole(lines.report())) gone.abort();
    }
  };
  const send = async (): Promise<CommandResult> => {
    const { words: args, input: stdin } = giving;
    const signal = AbortSignal.any([from.signal, gone.signal]);
    try {
      return await from.mutate({ script: ALONE, args, stdin, stdout: stream, timeoutMs: limit, signal });
    } catch (lost) {
      // Why it was stopped, the other one says.
      if (!gone.signal.aborted) error ??= lost as Error;
      throw lost;
    } finally {
      stream.end();
    }
  };
  const ends = await Promise.allSettled([send(), receive()]);
  return { error, stderr: stderrOf(ends) };
}

function stderrOf(ends: readonly PromiseSettledResult<CommandResult>[]): string {
  return ends
    .flatMap((end) => (end.status === "fulfilled" && end.value.stderr !== "" ? end.value.stderr : []))
    .join("\n");
}
