import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { parseSync } from "vite";
import { ROOT } from "./sources.ts";

export interface Literal {
  /** `packages/core/src/model/domain.ts:20` */
  readonly where: string;
  readonly regex: RegExp;
}

type Node = Readonly<Record<string, unknown>>;

/** Every regular expression that is written in a file, and calls of RegExp, which nobody can judge, as null. */
export function regexesOf(file: string): readonly (Literal | null)[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const found: (Literal | null)[] = [];
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk);
    if (typeof node !== "object" || node === null) return;
    const { type, start, regex, callee } = node as Node;
    if (type === "Literal") {
      if (regex === undefined) return;
      const { pattern, flags } = regex as { readonly pattern: string; readonly flags: string };
      const line = text.slice(0, start as number).split("\n").length;
      found.push({ where: `${file}:${line}`, regex: new RegExp(pattern, flags) });
      return;
    }
    if ((callee as Node | undefined)?.["name"] === "RegExp") found.push(null);
    Object.values(node).forEach(walk);
  };
  walk(parseSync(file, text).program);
  return found;
}

const SAMPLES = 3;
const CUTS = 16;
const LONGEST_PUMP = 24;
const COMMON = ["\n", " ", "a", "0", "=", "'", "\\'", "/", ".", "-", ":", "<"];
/** Grown in steps: what is exponential shows itself at the second, and would never end at the last. */
const LENGTHS = [16, 22, 28, 60, 300, 1_500, 6_000, 24_000];
/** What a single pass over so short texts never takes, on any machine that these tests run on. */
const SUSPICIOUS_MS = 4;
/** Four times the length takes a single pass four times as long, and two nested ones sixteen times. */
const GROWTH = 9;

/**
 * A text for which the expression takes more than a single pass, or null. Texts that it matches are made, and pieces of
 * them repeated; it is judged by how its own processor time grows with the length.
 */
export function attackOn(regex: RegExp, seed: number): string | null {
  if (isSinglePass(regex)) return null;
  for (const attack of attacks(regex, seed)) {
    // A first use is slow by itself, and says nothing of the longer texts.
    const slow = LENGTHS.some((length) => cost(regex, attack(length)) >= SUSPICIOUS_MS && grows(regex, attack, length));
    if (slow) return attack(60);
  }
  return null;
}

function grows(regex: RegExp, attack: Attack, suspicious: number): boolean {
  // A line that takes so long again needs no longer one.
  if (suspicious <= 60) return least(regex, attack(suspicious)) >= SUSPICIOUS_MS;
  const [short, long] = [suspicious / 2, 2 * suspicious].map((length) => least(regex, attack(length)));
  return (long ?? 0) >= 2 * SUSPICIOUS_MS && (long ?? 0) > GROWTH * (short ?? 0);
}

/** Without repetition it looks at so many letters from each place; with one of a single sign from the beginning, once at all. */
function isSinglePass({ source, flags }: RegExp): boolean {
  const plain = source.replaceAll(/\\./g, "x").replaceAll(/\[[^\]]*\]/g, "x");
  const repetitions = plain.match(/[*+]|\{\d+,\}/g)?.length ?? 0;
  return (
    repetitions === 0 || (repetitions === 1 && !plain.includes(")") && plain.startsWith("^") && !flags.includes("m"))
  );
}

type Attack = (length: number) => string;

function* attacks(regex: RegExp, seed: number): Iterable<Attack> {
  const random = numbers(seed);
  for (const pump of COMMON) yield* repeated("", pump);
  for (const sample of samplesOf(regex, seed)) {
    if (sample.length <= LONGEST_PUMP) yield* repeated("", sample);
    for (let cut = 0; cut < CUTS; cut += 1) {
      const from = random(sample.length);
      const pump = sample.slice(from, from + 1 + random(LONGEST_PUMP));
      yield* repeated("", pump);
      yield* repeated(sample.slice(0, from), pump);
    }
  }
}

function* repeated(head: string, pump: string): Iterable<Attack> {
  for (const tail of ["", "\u0001", "\n!"])
    yield (length) => `${head}${pump.repeat(Math.ceil(length / pump.length))}${tail}`;
}

/** Texts that it matches; fast-check knows no assertions, which only narrow what matches. */
function samplesOf({ source, flags }: RegExp, seed: number): readonly string[] {
  const plain = source.replaceAll(/\(\?<?[=!](?:[^()\\]|\\.)*\)|\\[bB]/g, "");
  const matching = fc.stringMatching(new RegExp(plain, flags.replaceAll(/[^msu]/g, "")), { size: "small" });
  return [...fc.sample(matching, { numRuns: SAMPLES, seed }), ...literalsIn(source)].filter((text) => text !== "");
}

/** Runs of letters that it asks for as they are: `<title`. */
function literalsIn(source: string): readonly string[] {
  return [...source.matchAll(/(?:[A-Za-z0-9 <>'":;,=#@%&_-]|\\[^a-zA-Z0-9]){2,}/g)].map(([run]) =>
    run.replaceAll("\\", ""),
  );
}

/** Milliseconds of this process's own processor time. */
function cost(regex: RegExp, text: string): number {
  const before = process.cpuUsage();
  if (regex.global) findAll(regex, text);
  else regex.test(text);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Keeps nothing: what collects garbage takes more than its share of longer texts. */
function findAll(regex: RegExp, text: string): void {
  regex.lastIndex = 0;
  for (let last = -1; regex.test(text); last = regex.lastIndex) if (regex.lastIndex === last) regex.lastIndex += 1;
}

function least(regex: RegExp, text: string): number {
  return Math.min(...[0, 1, 2].map(() => cost(regex, text)));
}

function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
