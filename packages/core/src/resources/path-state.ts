import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Target } from "../contracts/resource.ts";
import { askPerl } from "./perl.ts";
import { READ_PATHS } from "./path-programs.ts";

export interface FileState {
  readonly kind: "file";
  readonly owner: string;
  readonly group: string;
  readonly mode: number;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  /** base64; only where it was asked for and the file is at most `LARGEST_FILE`. */
  readonly content?: string;
}

export interface DirectoryState {
  readonly kind: "directory";
  readonly owner: string;
  readonly group: string;
  readonly mode: number;
}

export interface LinkState {
  readonly kind: "link";
  readonly target: string;
}

/** Neither file, directory nor link; or something on the way to the path is no directory. */
export interface OtherState {
  readonly kind: "other";
  readonly what: string;
}

/** Whatever stands at a path. A type whose path is taken by another kind shows it and never touches it. */
export type PathState = FileState | DirectoryState | LinkState | OtherState;

/** Files of our own are configuration; what is larger is neither written nor kept for undo. Bytes. */
export const LARGEST_FILE: number = 16 * 1024 * 1024;

/** Of one path without contents: the longest has a link's target, of up to 4,096 bytes. */
const STATE_BYTES = 5 * 1024;
/** Of contents, beside the few files that are large. */
const CONTENT_BYTES = 64 * 1024;
const LARGE_FILES = 4;
const ANSWER_BYTES = 256 * 1024 * 1024;
/** Of more an answer would be large, and late. */
const PATHS_AT_ONCE = 20_000;

/** The one form in which both sides compare states: the same words that the server's program makes. Without contents. */
export function canonicalState(state: PathState | null): string {
  if (state === null) return "-";
  switch (state.kind) {
    case "file":
      return `f ${octal(state.mode)} ${state.owner} ${state.group} ${state.sha256}`;
    case "directory":
      return `d ${octal(state.mode)} ${state.owner} ${state.group}`;
    case "link":
      return `l ${state.target}`;
    case "other":
      return `o ${state.what}`;
  }
}

/** What counts of a thing at a path: everything but contents, which their sha256 stands for. */
export function identityOfPath(state: PathState): unknown {
  if (state.kind !== "file") return state;
  const { kind, owner, group, mode, sha256 } = state;
  return { kind, owner, group, mode, sha256 };
}

export function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** A server's answer is kept in memory: however much it sends, its bound is in proportion to what was asked. */
export function answerLimit(paths: number, contents: boolean): number {
  const files = contents ? paths * CONTENT_BYTES + Math.min(paths, LARGE_FILES) * LARGEST_FILE : 0;
  return Math.min(ANSWER_BYTES, (paths + 1) * STATE_BYTES + files);
}

/**
 * Reads what stands at the paths, 20,000 in one round trip.
 * @throws HW_COMMAND_FAILED and what running a script throws.
 */
export async function readPaths(
  target: Target,
  paths: readonly string[],
  contents: boolean,
): Promise<Map<string, PathState>> {
  const states = new Map<string, PathState>();
  for (let from = 0; from < paths.length; from += PATHS_AT_ONCE)
    await readSome(target, paths.slice(from, from + PATHS_AT_ONCE), contents, states);
  return states;
}

async function readSome(
  target: Target,
  paths: readonly string[],
  contents: boolean,
  states: Map<string, PathState>,
): Promise<void> {
  const limit = contents ? String(LARGEST_FILE) : "";
  const input = [limit, ...paths].map((field) => `${field}\0`).join("");
  const result = await askPerl(target, READ_PATHS, input, { maxOutputBytes: answerLimit(paths.length, contents) });
  if (!result.truncated && parsePresent(result.stdout, paths, states)) return;
  throw new HostwrightError(
    "HW_COMMAND_FAILED",
    `The present files of ${target.server.name} could not be read: the answer was incomplete. Nothing was changed.`,
    { server: target.server.name, retryable: true },
  );
}

const [NUL, SPACE] = [0, 0x20];

/**
 * Parses the answer of `READ_PATHS` into `states`: per path `state NUL size NUL length-or-dash NUL bytes`, then `end NUL`.
 * False if it is cut. Of hundreds of thousands of paths nothing is kept but what they say: a part of a string would keep the
 * whole of it.
 */
export function parsePresent(output: Buffer, paths: readonly string[], states: Map<string, PathState>): boolean {
  const names = new Map<string, string>();
  let at = 0;
  const field = (): string | null => {
    const end = output.indexOf(NUL, at);
    if (end < 0) return null;
    const value = output.toString("latin1", at, end);
    at = end + 1;
    return value;
  };
  for (const path of paths) {
    const [from, to] = [at, output.indexOf(NUL, at)];
    if (to < 0) return false;
    at = to + 1;
    const size = Number(field());
    const length = field();
    if (length === null) return false;
    const bytes = length === "-" ? null : output.subarray(at, at + Number(length));
    if (bytes !== null && bytes.length !== Number(length)) return false;
    at += bytes?.length ?? 0;
    const state = parseState(output.subarray(from, to), names, size, bytes);
    if (state !== null) states.set(path, state);
  }
  return field() === "end" && at === output.length;
}

/** `names`: of users and groups, each kept once. */
function parseState(words: Buffer, names: Map<string, string>, size: number, bytes: Buffer | null): PathState | null {
  const rest = (to?: number): string => words.toString("utf8", 2, to);
  const owned = (to?: number): { readonly owner: string; readonly group: string; readonly mode: number } => {
    const [mode = "", owner = "", group = ""] = rest(to).split(" ");
    return { owner: oneOf(names, owner), group: oneOf(names, group), mode: Number.parseInt(mode, 8) };
  };
  switch (words.toString("latin1", 0, 1)) {
    case "f": {
      const last = words.lastIndexOf(SPACE);
      const content = bytes === null ? {} : { content: bytes.toString("base64") };
      return { kind: "file", ...owned(last), sha256: words.toString("latin1", last + 1), size, ...content };
    }
    case "d":
      return { kind: "directory", ...owned() };
    case "l":
      return { kind: "link", target: rest() };
    case "o":
      return { kind: "other", what: rest() };
    default:
      return null;
  }
}

function oneOf(names: Map<string, string>, name: string): string {
  const known = names.get(name);
  if (known === undefined) names.set(name, name);
  return known ?? name;
}
