import { HostwrightError } from "../errors/hostwright-error.ts";

/** Words that every shell takes as they are. */
const PLAIN = /^[A-Za-z0-9_/.:,@%+-]+$/;

/**
 * One word for a POSIX shell: single quotes, in which nothing has a meaning but the quote itself.
 * @throws HW_QUOTE_REFUSED for what no argument can hold: a NUL byte, or half of a surrogate pair.
 */
export function quoteWord(word: string): string {
  if (word.includes("\0"))
    throw new HostwrightError("HW_QUOTE_REFUSED", "An argument holds a NUL byte. Nothing was run.");
  if (!word.isWellFormed())
    throw new HostwrightError("HW_QUOTE_REFUSED", "An argument is not valid Unicode. Nothing was run.");
  if (PLAIN.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line that any POSIX shell splits into exactly these words. @throws HW_QUOTE_REFUSED */
export function quoteArgv(argv: readonly string[]): string {
  return argv.map(quoteWord).join(" ");
}
