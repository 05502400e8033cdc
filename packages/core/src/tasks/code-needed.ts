import { join } from "node:path/posix";
import type { Members, Planning } from "../contracts/planning.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { namesOf } from "../model/names-of.ts";
import type { PlatformRecord } from "../model/records.ts";
import { runChecked } from "../servers/checked.ts";
import { folderReader } from "./source-reader.ts";

const MISSING = 'for path; do [ -e "$path" ] || printf "%s\\n" "$path"; done';

/**
 * Does the platform's code hold what a site's options ask for? Looked for in the source that will be published, or in the
 * release on its first server: it is the same on each. @throws HW_INPUT_INVALID naming what it lacks: an installer would say it later, if at all
 */
export async function requireCode(
  context: Planning,
  platform: PlatformRecord,
  asked: { readonly heads: Members; readonly options: unknown },
): Promise<void> {
  const { name, release, source, root } = platform;
  const { role } = context.inventory.platformDefinition(platform);
  const needed = role.codeNeeded?.(asked.options) ?? [];
  if (needed.length === 0) return;
  const placed = needed.map((one) => ({ ...one, at: join(root, role.layout.sourceAt, one.path) }));
  const missing = new Set<string>();
  if (release === null && source !== null) {
    const reader = folderReader(source.path);
    for (const { path, at } of placed) if (!(await reader.exists(path))) missing.add(at);
  } else {
    const { server, signal } = await context.target(asked.heads[0]);
    const args = placed.map(({ at }) => at);
    const { stdout } = await runChecked(server, { script: MISSING, args, signal });
    for (const line of stdout.toString().split("\n")) missing.add(line);
  }
  const lacking = placed.filter(({ at }) => missing.has(at)).map(({ what }) => what);
  if (lacking.length === 0) return;
  throw new HostwrightError(
    "HW_INPUT_INVALID",
    `Platform ${name} does not hold ${namesOf(lacking)}. Nothing was changed.`,
    { remedy: "Choose what it holds, or make a platform of code that has it.", data: { lacking } },
  );
}
