import type { Guard } from "../../contracts/guard.ts";
import type { Target } from "../../contracts/resource.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { showBytes } from "../../model/show-bytes.ts";
import { runChecked } from "../../servers/checked.ts";
import type { Action } from "./plan.ts";

/** What asks for it, what it asks for. */
type Asked = Pick<Action, "title"> & { readonly guards: readonly Guard[] };

// For each path the device of its nearest folder that exists, free blocks for root's use and their size.
const FREE = `for path in "$@"; do
  while [ ! -e "$path" ]; do path=\${path%/*}; [ -n "$path" ] || path=/; done
  stat -c %d -- "$path" && stat -f -c '%a %S' -- "$path" || exit 1
done`;

/**
 * Checks all guards of actions that follow on one another on one server, in one round trip; in none where they have none.
 * @throws HW_DISK_FULL, HW_PLUGIN_MISSING for a kind of a later version
 */
export async function checkGuards(
  target: Target,
  actions: readonly Pick<Action, "title" | "guards">[],
  consequence: string,
): Promise<void> {
  const asked = actions.flatMap(({ title, guards = [] }): Asked[] => (guards.length === 0 ? [] : [{ title, guards }]));
  if (asked.length === 0) return;
  const all = asked.flatMap(({ guards }) => guards);
  const unknown = all.find((guard) => guard.kind !== "free-space");
  if (unknown !== undefined) {
    throw new HostwrightError(
      "HW_PLUGIN_MISSING",
      `The plan asks for ${JSON.stringify(unknown.kind)}, which this version cannot check. ${consequence}`,
    );
  }
  const { name } = target.server;
  const paths = all.map(({ path }) => path);
  const result = await runChecked(target.server, { script: FREE, args: paths, signal: target.signal });
  const lines = result.stdout.toString("utf8").trim().split("\n");
  const left = new Map<string, number>();
  for (const [index, { path }] of all.entries()) {
    const [blocks = Number.NaN, size = Number.NaN] = (lines[2 * index + 1] ?? "").split(" ").map(Number);
    if (Number.isNaN(blocks * size)) {
      throw new HostwrightError(
        "HW_COMMAND_FAILED",
        `The free space of ${path} on ${name} could not be read. ${consequence}`,
        { server: name, retryable: true },
      );
    }
    left.set(lines[2 * index] ?? "", blocks * size);
  }
  let index = 0;
  for (const { title, guards } of asked) {
    for (const { path, bytes } of guards) {
      const device = lines[2 * index++] ?? "";
      const free = left.get(device) ?? 0;
      // What an earlier action takes is no longer there for a later one.
      left.set(device, free - bytes);
      if (free < bytes) throw diskFull(name, { title, path, bytes, free: Math.max(0, free) }, consequence);
    }
  }
}

function diskFull(
  server: string,
  short: { readonly title: string; readonly path: string; readonly bytes: number; readonly free: number },
  consequence: string,
): HostwrightError {
  const { title, path, bytes, free } = short;
  return new HostwrightError(
    "HW_DISK_FULL",
    `"${title}" needs ${showBytes(bytes)} at ${path} on ${server}, but only ${showBytes(free)} are free there. ${consequence}`,
    { server, data: { path, bytes, free }, remedy: `Free ${showBytes(bytes - free)} there, then try again.` },
  );
}

export function showGuard(guard: Guard): string {
  return `${showBytes(guard.bytes)} free at ${guard.path}`;
}
