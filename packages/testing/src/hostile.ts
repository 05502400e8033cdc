import { isHostwrightError, type ErrorCode } from "@hostwright/core/plugin";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "./any-character.ts";

/** Of all that is drawn in this process; set HOSTWRIGHT_TEST_SEED to draw the same again. */
export const SEED: number = seedOf(process.env["HOSTWRIGHT_TEST_SEED"]);

/** Other harnesses take words under that name, too: those draw by their characters. */
function seedOf(given: string | undefined): number {
  if (given === undefined) return Math.trunc(Math.random() * 2 ** 31);
  if (/^\d+$/.test(given)) return Number(given);
  return Buffer.from(given).reduce((sum, byte) => (sum * 31 + byte) % 2 ** 31, 7);
}

const FIXED = [
  "'",
  '"',
  "\\",
  "\\'",
  "`",
  "'; DROP DATABASE x; --",
  "$(id)",
  "${x}",
  "%s",
  "a b",
  "a\nb",
  "\r\n",
  "a;b#c",
  "?>",
  "<b>&amp;",
  "ünï✓",
  "\u{1f600}",
  "\0",
  "a\0b",
  "\ud800",
  "\u0007",
  "../../etc/passwd",
  "-rf",
];

const UNITS = [
  "a",
  "Z",
  "0",
  "'",
  '"',
  "\\",
  "`",
  "$",
  "%",
  ";",
  "#",
  "{",
  "}",
  "<",
  "&",
  "\n",
  "\t",
  "é",
  "\u{1f600}",
];

/** Texts that quoting gets wrong: some always, and as many drawn ones as are asked for. */
export function hostileTexts(drawn: number = 20): readonly string[] {
  const nasty = fc.oneof(
    fc.string({ unit: fc.constantFrom(...UNITS), minLength: 1, maxLength: 12 }),
    fc.string({ unit: ANY_CHARACTER, minLength: 1, maxLength: 24 }),
  );
  return [...FIXED, ...fc.sample(nasty, { numRuns: drawn, seed: SEED })];
}

/** Names in which one sign is not a name's. */
export function hostileNames(drawn: number = 10): readonly string[] {
  return ["", ".", "..", "/", ...hostileTexts(drawn).map((text) => `s${text}`)];
}

const REFUSALS: readonly ErrorCode[] = ["HW_QUOTE_REFUSED", "HW_INPUT_INVALID", "HW_DOMAIN_INVALID"];

export function isRefusal(error: unknown): boolean {
  return isHostwrightError(error) && REFUSALS.includes(error.code);
}

/** What the work gives, or `refused` where the value was refused as such; any other failure is thrown, with the value. */
export async function orRefused<T>(value: string, work: () => T | Promise<T>): Promise<T | "refused"> {
  try {
    return await work();
  } catch (error) {
    if (isRefusal(error)) return "refused";
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${JSON.stringify(value)} (seed ${SEED}): ${reason}`, { cause: error });
  }
}
