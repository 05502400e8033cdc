import type { Redirect } from "../src/model/own-rules.ts";

/** Browsers follow no more. */
const MOST_IN_A_ROW = 20;

/** As it was before: folder by folder, which long paths have many of. What is there now must say the same. */
export function formerRedirectLoop(redirects: readonly Redirect[], names: readonly string[]): string | null {
  const own = new Set(names);
  const targets = redirects.map(({ to }) => ownPath(to, own));
  const find = firstOf(redirects);
  const next = (path: string): string | null => {
    const index = find(path);
    const [found, target] = [redirects[index], targets[index] ?? null];
    if (found === undefined || target === null) return null;
    return "exact" in found.from ? target : target + path.slice(found.from.prefix.length);
  };
  for (const { from } of redirects) {
    const start = "exact" in from ? from.exact : from.prefix;
    let path: string | null = start;
    for (let steps = 0; path !== null; steps += 1) {
      if (steps > MOST_IN_A_ROW) return start;
      path = next(path);
    }
  }
  return null;
}

/** A folder of paths, with the place of the first redirect of all that is below it. */
interface Folder {
  first: number;
  readonly below: Map<string, Folder>;
}

const newFolder = (): Folder => ({ first: Infinity, below: new Map() });

/** Gives the place of the first redirect that a path matches, Infinity for none, without a look at all of them. */
function firstOf(redirects: readonly Redirect[]): (path: string) => number {
  const exact = new Map<string, number>();
  const root = newFolder();
  for (const [index, { from }] of redirects.entries()) {
    if ("exact" in from) {
      if (!exact.has(from.exact)) exact.set(from.exact, index);
      continue;
    }
    let folder = root;
    for (const name of from.prefix.split("/").slice(1, -1)) {
      const below = folder.below.get(name) ?? newFolder();
      folder.below.set(name, below);
      folder = below;
    }
    folder.first = Math.min(folder.first, index);
  }
  return (path) => {
    let first = exact.get(path) ?? Infinity;
    let folder: Folder | undefined = root;
    for (let from = 1; folder !== undefined;) {
      first = Math.min(first, folder.first);
      const end = path.indexOf("/", from);
      folder = end === -1 ? undefined : folder.below.get(path.slice(from, end));
      from = end + 1;
    }
    return first;
  };
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
