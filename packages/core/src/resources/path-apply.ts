import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Change, Target } from "../contracts/resource.ts";
import { reportOutcomes, type Failures } from "./outcomes.ts";
import { changeByPerl } from "./perl.ts";
import { APPLY_PATHS, CLEAR_PATHS } from "./path-programs.ts";
import { canonicalState, LARGEST_FILE, type PathState } from "./path-state.ts";

/**
 * Makes the changes of one kind in one round trip. Each thing must still be `before`, or be `after` already; everything
 * else stays. Files and links are made beside their targets, flushed, and renamed.
 * @throws HW_RESOURCE_FOREIGN (another kind of thing stands there; nothing was changed), HW_RESOURCE_CHANGED,
 * HW_PERMISSION_DENIED (a folder on the way is not root's alone), HW_PREREQUISITE_MISSING (no such user or group):
 * the named things were left alone, all others are done; HW_DISK_FULL: nothing was changed.
 */
export async function applyPaths(
  target: Target,
  kind: PathState["kind"],
  changes: readonly Change<PathState>[],
): Promise<void> {
  refuseForeign(target, kind, changes);
  const ordered = inOrder(changes);
  if (ordered.length === 0) return;
  const result = await changeByPerl(target, APPLY_PATHS, encodeChanges(ordered), { timeoutMs: 300_000 });
  reportOutcomes(
    target.server,
    ordered.map((change) => change.key),
    result.stdout,
    FAILURES,
  );
}

/** Removes what an attempt that was killed left beside these paths. */
export async function clearPaths(target: Target, paths: readonly string[]): Promise<void> {
  await changeByPerl(target, CLEAR_PATHS, paths.map((path) => `${path}\0`).join(""));
}

function refuseForeign(target: Target, kind: PathState["kind"], changes: readonly Change<PathState>[]): void {
  const foreign = changes.find(
    ({ before }) => before !== null && (before.kind !== kind || (before.kind === "file" && before.size > LARGEST_FILE)),
  );
  if (foreign?.before === null || foreign === undefined) return;
  const what = foreign.before.kind === "other" ? foreign.before.what : `a ${foreign.before.kind}`;
  const why = foreign.before.kind === kind ? "too large to be kept for an undo" : `${what}, not a ${kind}`;
  throw new HostwrightError(
    "HW_RESOURCE_FOREIGN",
    `What stands at ${foreign.key} on ${target.server.name} is ${why}. Nothing was changed.`,
    {
      server: target.server.name,
      data: { keys: [foreign.key] },
    },
  );
}

/** Folders before what is in them; removals last, from the leaves. */
function inOrder(changes: readonly Change<PathState>[]): readonly Change<PathState>[] {
  const byKey = (a: Change, b: Change): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  const made = changes.filter((change) => change.after !== null).toSorted(byKey);
  const removed = changes.filter((change) => change.after === null).toSorted((a, b) => byKey(b, a));
  return [...made, ...removed];
}

export function encodeChanges(changes: readonly Change<PathState>[]): Buffer {
  const parts: (string | Buffer)[] = [];
  for (const { key, before, after } of changes) {
    parts.push(`${key}\0${canonicalState(before)}\0${canonicalState(after)}\0`);
    if (after?.kind !== "file") continue;
    if (after.content === undefined)
      throw new HostwrightError("HW_INTERNAL", `The contents for ${key} are missing. Nothing was changed.`);
    const bytes = Buffer.from(after.content, "base64");
    parts.push(`${bytes.length}\0`, bytes);
  }
  parts.push("end\0");
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}

const FAILURES: Failures = {
  unsafe: {
    code: "HW_PERMISSION_DENIED",
    says: (key, detail) => `${key}: ${detail} on its way is a link, or can be changed by others than root`,
    remedy:
      "Give the folder to root without write access for group and others, or name the real path instead of a link.",
  },
  noowner: {
    code: "HW_PREREQUISITE_MISSING",
    says: (key, detail) => `${key}: there is no user or group ${detail}`,
    remedy: "Declare the user, or correct its name.",
  },
  full: { code: "HW_DISK_FULL", says: (key, detail) => `${key}: ${detail}` },
  failed: { code: "HW_COMMAND_FAILED", says: (key, detail) => `${key}: ${detail}` },
  noparent: { code: "HW_RESOURCE_CHANGED", says: (key, detail) => `${key}: its folder ${detail} does not exist` },
  notempty: { code: "HW_RESOURCE_CHANGED", says: (key) => `${key}: the directory is not empty` },
  changed: { code: "HW_RESOURCE_CHANGED", says: (key) => `${key}: it is not what it was when it was read` },
};
