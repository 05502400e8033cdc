import type { Redirect } from "./own-rules.ts";

/** Browsers follow no more. */
const MOST_IN_A_ROW = 20;

/**
 * Do the redirects lead back to where they began, or on through more than a browser follows? The `from` of the first that
 * does; `names` are the site's own. Takes time in proportion to their number.
 */
export function redirectLoop(redirects: readonly Redirect[], names: readonly string[]): string | null {
  const own = new Set(names);
  const targets = redirects.map(({ to }) => ownPath(to, own));
  const find = firstOf(redirects);
  const next = (path: string): string | null => {
    const index = find(path);
    const [found, target] = [redirects[index], targets[index] ?? null];
    if (found === undefined || target === null) return null;
    return "exact" in found.from ? target : target + path.slice(found.from.prefix.length);
  };
  const starts = new Set(redirects.map(({ from }) => ("exact" in from ? from.exact : from.prefix)));
  /** How many paths a browser asks for from a start on. Of other paths, which may grow, none is kept. */
  const asked = new Map<string, number>();
  for (const start of starts) {
    const passed: string[] = [];
    let path: string | null = start;
    while (path !== null && !asked.has(path) && passed.length <= MOST_IN_A_ROW + 1) {
      passed.push(path);
      path = next(path);
    }
    let count = path === null ? 0 : (asked.get(path) ?? 0);
    if (passed.length + count > MOST_IN_A_ROW + 1) return start;
    for (const one of passed.toReversed()) {
      count += 1;
      if (starts.has(one)) asked.set(one, count);
    }
  }
  return null;
}

/** A prefix with those that it begins with itself, the shortest first, each with the place of the first that matches then. */
interface Prefix {
  readonly text: string;
  readonly first: number;
  /** Its own last. */
  readonly line: readonly Prefix[];
}

/** Gives the place of the first redirect that a path matches, Infinity for none, without a look at all of them. */
function firstOf(redirects: readonly Redirect[]): (path: string) => number {
  const [exact, prefixes] = [new Map<string, number>(), new Map<string, number>()];
  for (const [index, { from }] of redirects.entries()) {
    const [places, text] = "exact" in from ? [exact, from.exact] : [prefixes, from.prefix];
    if (!places.has(text)) places.set(text, index);
  }
  const sorted = inLines(prefixes);
  return (path) => {
    // Of all that are not behind it in the alphabet the last begins with each prefix of the path that there is.
    const nearest = sorted[countOf(sorted, ({ text }) => text <= path) - 1];
    const line = nearest?.line ?? [];
    const longest = line[countOf(line, ({ text }) => path.startsWith(text)) - 1];
    return Math.min(exact.get(path) ?? Infinity, longest?.first ?? Infinity);
  };
}

/** In the order of the alphabet, where those that begin with another one follow it. */
function inLines(prefixes: ReadonlyMap<string, number>): readonly Prefix[] {
  let line: readonly Prefix[] = [];
  return [...prefixes.keys()].toSorted(byCode).map((text) => {
    const above = line.slice(
      0,
      countOf(line, (one) => text.startsWith(one.text)),
    );
    const own: Prefix[] = [...above];
    const first = Math.min(prefixes.get(text) ?? Infinity, above.at(-1)?.first ?? Infinity);
    const prefix = { text, first, line: own };
    own.push(prefix);
    line = own;
    return prefix;
  });
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** How many at the beginning of a list are so, where none is that stands behind one that is not. */
function countOf<T>(list: readonly T[], isSo: (item: T) => boolean): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const item = list[middle];
    if (item !== undefined && isSo(item)) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Null when it is another site's. */
function ownPath(to: string, own: ReadonlySet<string>): string | null {
  const { host, pathname } = new URL(to, "http://own.invalid");
  return host === "own.invalid" || own.has(host) ? decode(pathname) : null;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
