import { HostwrightError } from "../../errors/hostwright-error.ts";

/** More is no login, and would not fit a pipe that nobody reads. */
const LONGEST_LOGIN = 64 * 1024;

/** What `PUMP` reads before all else. @throws HW_INPUT_INVALID */
export function pumpInput({
  argv,
  login,
  input = "",
  trailer = "",
}: {
  readonly argv: readonly string[];
  readonly login: string;
  /** For the program's own input. */
  readonly input?: string | Buffer;
  readonly trailer?: string;
}): Buffer {
  const all = [login, input, trailer, ...argv].map((part) => Buffer.from(part));
  const refused =
    argv.length === 0
      ? "it names no program"
      : (all[0]?.length ?? 0) > LONGEST_LOGIN
        ? "its login is longer than 64 KiB"
        : null;
  if (refused !== null) throw new HostwrightError("HW_INPUT_INVALID", `A program cannot be started: ${refused}.`);
  return Buffer.concat([Buffer.from(`${all.map(({ length }) => length).join(" ")}\n`), ...all]);
}
