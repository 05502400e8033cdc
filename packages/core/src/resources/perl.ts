import type { Target } from "../contracts/resource.ts";
import type { CommandResult, Script } from "../contracts/server.ts";
import { commandError } from "../servers/checked.ts";

/**
 * A fixed perl program; its data goes by standard input. Servers need `perl-base`, an Essential package of Debian, and
 * the programs use nothing beyond it.
 */
export interface PerlProgram {
  /** Names it in errors: `read paths`. */
  readonly what: string;
  readonly text: string;
}

type Options = Pick<Script, "timeoutMs" | "maxOutputBytes" | "args">;

type Input = NonNullable<Script["stdin"]>;

const START = `program=$1; shift; export LC_ALL=C; exec perl -e "$program" -- "$@"`;

function script(program: PerlProgram, stdin: Input, { args = [], ...options }: Options): Script {
  return { ...options, script: START, args: [program.text, ...args], stdin };
}

function checked(target: Target, program: PerlProgram, result: CommandResult): CommandResult {
  if (result.exitCode === 0 && !result.timedOut && !result.aborted) return result;
  throw commandError(target.server.name, { argv: ["perl", "-e", `# ${program.what}`] }, result);
}

/** Runs a program that changes nothing. @throws as `runChecked` */
export async function askPerl(
  target: Target,
  program: PerlProgram,
  stdin: Input,
  options: Options = {},
): Promise<CommandResult> {
  return checked(
    target,
    program,
    await target.server.script({ ...script(program, stdin, options), signal: target.signal }),
  );
}

/** Runs a program that changes the server, under the task's fence. @throws as `runChecked` */
export async function changeByPerl(
  target: Target,
  program: PerlProgram,
  stdin: Input,
  options: Options = {},
): Promise<CommandResult> {
  return checked(target, program, await target.mutate(script(program, stdin, options)));
}
