import type { Target } from "../contracts/resource.ts";
import type { CommandResult, Script } from "../model/server.ts";
import { freeBytes } from "../servers/bounded-output.ts";
import { commandError } from "../servers/checked.ts";
import { DEFAULT_MAX_OUTPUT_BYTES } from "../servers/supervise.ts";

/**
 * A fixed perl program; its data goes by standard input. Servers need `perl-base`, an Essential package of Debian, and
 * the programs use nothing beyond it.
 */
export interface PerlProgram {
  /** Names it in errors: `read paths`. */
  readonly what: string;
  readonly text: string;
}

interface Options extends Pick<Script, "timeoutMs" | "maxOutputBytes" | "args"> {
  /** The one thing that it works on, for errors. */
  readonly about?: string;
}

type Input = NonNullable<Script["stdin"]>;

const START = `program=$1; shift; export LC_ALL=C; exec perl -e "$program" -- "$@"`;

function script(program: PerlProgram, stdin: Input, { args = [], about: _about, ...options }: Options): Script {
  return { ...options, script: START, args: [program.text, ...args], stdin };
}

function checked(
  target: Target,
  program: PerlProgram,
  about: string | undefined,
  result: CommandResult,
): CommandResult {
  if (result.exitCode === 0 && !result.timedOut && !result.aborted) return result;
  const shown = `"${program.what}${about === undefined ? "" : ` ${about}`}"`;
  throw commandError(target.server.name, { argv: ["perl"] }, result, shown);
}

/** Runs a program that changes nothing. @throws as `runChecked` */
export async function askPerl(
  target: Target,
  program: PerlProgram,
  stdin: Input,
  options: Options = {},
): Promise<CommandResult> {
  const result = checked(
    target,
    program,
    options.about,
    await target.server.script({ ...script(program, stdin, options), signal: target.signal }),
  );
  if (result.stdout.length < (options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES) || !result.truncated) return result;
  // A cut answer says nothing, and is as large as one may be.
  freeBytes(result.stdout);
  return { ...result, stdout: Buffer.alloc(0) };
}

/** Runs a program that changes the server, under the task's fence. @throws as `runChecked` */
export async function changeByPerl(
  target: Target,
  program: PerlProgram,
  stdin: Input,
  options: Options = {},
): Promise<CommandResult> {
  return checked(target, program, options.about, await target.mutate(script(program, stdin, options)));
}
