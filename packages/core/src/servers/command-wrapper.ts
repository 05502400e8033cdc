import type { Command, Script } from "../model/server.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { quoteWord } from "./quote-argv.ts";

/** Output that scripts parse must not depend on the login's language. */
export const LOCALE = "C.UTF-8";

/**
 * Tells its own process id, which is also its session's, and becomes the command: no round trip and no file is spent
 * on knowing whom to signal. `$1` is the user to become, empty for none. setpriv and not runuser: it stays nobody's
 * parent, asks no PAM and starts no shell.
 */
export const WRAPPER: string = `printf '\\036hostwright %s\\n' "$$"
export LC_ALL=${LOCALE}
user=$1
shift
test -n "$user" || exec "$@"
group=$(id -g -- "$user") || exit 125
exec setpriv --reuid="$user" --regid="$group" --init-groups --reset-env -- "$@"
`;

const ENV_NAME = /^[A-Z_][A-Z0-9_]*$/;
const USER_NAME = /^[a-z_][a-z0-9_.-]{0,31}$/i;

function invalid(message: string, field: string): HostwrightError {
  return new HostwrightError("HW_INPUT_INVALID", `${message}. Nothing was run.`, { data: { field } });
}

/** A script as the command that runs it. */
export function scriptCommand({ script, args = [], ...rest }: Script): Command {
  return { ...rest, argv: ["sh", "-c", script, "sh", ...args] };
}

/**
 * The command's words with its environment and folder in front, entered as the command's own user.
 * @throws HW_INPUT_INVALID, HW_QUOTE_REFUSED
 */
export function commandWords(command: Command): readonly string[] {
  const { argv, env = {}, cwd } = command;
  const program = argv[0] ?? "";
  // `env` would take the one for an assignment, and `exec` or `env` the other for an option.
  if (program === "" || program.includes("=") || program.startsWith("-")) {
    throw invalid(`"${program}" cannot be the name of a program`, "argv");
  }
  for (const name of Object.keys(env)) {
    if (!ENV_NAME.test(name)) throw invalid(`"${name}" cannot be the name of an environment variable`, "env");
  }
  if (cwd !== undefined && !cwd.startsWith("/")) throw invalid(`the folder "${cwd}" is not an absolute path`, "cwd");
  if (command.user !== undefined && !USER_NAME.test(command.user)) {
    throw invalid(`"${command.user}" cannot be the name of a user`, "user");
  }
  for (const [field, value] of [
    ["timeoutMs", command.timeoutMs],
    ["maxOutputBytes", command.maxOutputBytes],
  ] as const) {
    if (value !== undefined && !(value > 0)) throw invalid(`${field} is not above zero`, field);
  }
  const asUser = command.user !== undefined && command.user !== "root";
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  // Becoming a user empties the environment, and with it the locale.
  if (asUser) assignments.unshift(`LC_ALL=${LOCALE}`);
  const folder = cwd === undefined ? [] : [`--chdir=${cwd}`];
  const prefix = assignments.length + folder.length > 0 ? ["env", ...folder, "--", ...assignments] : [];
  const words = [...prefix, ...argv];
  words.forEach(quoteWord);
  return words;
}

/**
 * Words behind the wrapper. Through sudo the command gets a session of its own, because sudo may or may not make one,
 * depending on its configuration.
 */
export function wrapped(
  words: readonly string[],
  options: { readonly user?: string | undefined; readonly sudo: boolean },
): string[] {
  const { user = "root", sudo } = options;
  const become = sudo ? ["env", `LC_ALL=${LOCALE}`, "sudo", "-n", "--", "setsid", "--wait"] : [];
  return [...become, "sh", "-c", WRAPPER, "sh", user === "root" ? "" : user, ...words];
}
