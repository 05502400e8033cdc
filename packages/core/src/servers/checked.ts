import type { Command, CommandResult, Script, Server } from "../model/server.ts";
import type { ErrorCode } from "../errors/codes.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { quoteWord } from "./quote-argv.ts";

const MAX_SHOWN = 300;
const MAX_OUTPUT = 4000;

/** What the shell and the programs that start a command say; a refusal within an application is its own affair. */
const DENIED =
  /^(?:sudo: (?:a password is required|a terminal is required|.*not allowed)|.* is not in the sudoers file|(?:sh|env|setpriv|setsid)(?:: line \d+|: \d+)?: .*Permission denied)/m;
/** The kernel's words for it in any program's output, and PHP's own. */
export const DISK_FULL: RegExp = /No space left on device|Disk quota exceeded|possibly out of free disk space/;
/** What programs say on a server that goes down or comes up: its disk is gone, systemd does not answer. */
const PASSING =
  /Input\/output error|^systemd: |^systemd ended the connection|^Failed to connect to (?:system scope )?bus/m;

/**
 * Runs a command or script that must succeed.
 * @throws HW_COMMAND_FAILED (`data.exitCode`, `output` = end of stderr), HW_COMMAND_TIMEOUT, HW_CANCELLED, HW_DISK_FULL,
 * HW_PERMISSION_DENIED, and what `Server.run` throws.
 */
export async function runChecked(server: Server, what: Command | Script): Promise<CommandResult> {
  const result = "script" in what ? await server.script(what) : await server.run(what);
  if (result.exitCode === 0 && !result.timedOut && !result.aborted) return result;
  throw commandError(server.name, what, result);
}

/** The error that a result stands for; `shown` is what a person calls the command. */
export function commandError(
  server: string,
  what: Command | Script,
  result: CommandResult,
  shown: string = showCommand(what),
): HostwrightError {
  const [code, happened] = judge(result);
  return new HostwrightError(code, `${shown} on ${server} ${happened}`, {
    server,
    output: printable(result.stderr).slice(-MAX_OUTPUT),
    retryable: code === "HW_COMMAND_TIMEOUT" || (code === "HW_COMMAND_FAILED" && PASSING.test(result.stderr)),
    data: { command: shown, exitCode: result.exitCode, signal: result.signal },
  });
}

function judge({ aborted, timedOut, stderr, exitCode, signal }: CommandResult): readonly [ErrorCode, string] {
  if (aborted) return ["HW_CANCELLED", "was cancelled and stopped"];
  if (timedOut) return ["HW_COMMAND_TIMEOUT", "did not end in its time and was stopped"];
  const full = printable(stderr)
    .split("\n")
    // The last is the program's own; warnings come before it.
    .findLast((line) => DISK_FULL.test(line));
  if (full !== undefined)
    return ["HW_DISK_FULL", `found no space left on a file system (${full.trim().slice(0, MAX_SHOWN)})`];
  if (DENIED.test(stderr)) return ["HW_PERMISSION_DENIED", "was refused access"];
  return [
    "HW_COMMAND_FAILED",
    exitCode === null ? `was ended by ${signal ?? "an unknown signal"}` : `failed with exit code ${exitCode}`,
  ];
}

/** As a person would type it: without environment and input, on one line, bounded. */
export function showCommand(what: Command | Script): string {
  const argv = "script" in what ? ["sh", "-c", firstLine(what.script), "sh", ...(what.args ?? [])] : what.argv;
  const shown = argv.map((word) => quoteWord(printable(word).replaceAll(/\s/g, " "))).join(" ");
  return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}...` : shown;
}

function firstLine(script: string): string {
  const [first = "", ...rest] = script.trim().split("\n");
  return rest.length === 0 ? first : `${first} ...`;
}

function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what must go
  return text.toWellFormed().replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "?");
}
