import { readdirSync, readFileSync } from "node:fs";
import { join, normalize, relative, resolve } from "node:path";

export const ROOT: string = resolve(import.meta.dirname, "../..");

export interface Import {
  /** The file, relative to the repository. */
  readonly file: string;
  /** As it is written: `./a.ts`, `zod`, `node:fs`. */
  readonly specifier: string;
  /** Where a relative one leads, relative to the repository; null for a package. */
  readonly target: string | null;
  /** What it brings, by its names there; null: no list of names, but all of it, or what importing it does. */
  readonly names: readonly string[] | null;
}

// Statements begin a line in formatted sources; an `=` before the quote is an assignment, not an import.
const STATEMENT = /^(?:import|export)\s(?:([^;"'=]*)\sfrom\s)?\s*"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

/** Files below a folder whose path ends so, relative to the repository. */
export function filesBelow(folder: string, end: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(end))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes("node_modules/") && !path.includes("/dist/"))
    .toSorted();
}

export function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const dynamic = [...text.matchAll(DYNAMIC)].map(([, specifier]) => ["", specifier]);
  const statements = [...text.matchAll(STATEMENT)].map(([, what, specifier]) => [what, specifier]);
  return [...statements, ...dynamic].map(([what = "", specifier = ""]) => ({
    file,
    specifier,
    target: specifier.startsWith(".") ? normalize(join(file, "..", specifier)) : null,
    names: namesIn(what),
  }));
}

/** `type { A, type B as C }` names A and B. */
function namesIn(what: string): readonly string[] | null {
  const [, list] = /^(?:type\s)?\{([^}]*)\}$/.exec(what.trim()) ?? [];
  if (list === undefined) return null;
  const names = list.split(",").map((entry) => entry.trim().replace(/^type\s/, ""));
  return names.filter((name) => name !== "").map((name) => name.replace(/\sas\s.*/, ""));
}
