import * as z from "zod";
import type { Change, Declared, ResourceType, Target } from "../contracts/resource.ts";
import { RANK } from "./rank.ts";
import { commandError, runChecked } from "../servers/checked.ts";
import { declare, Path } from "./schemas.ts";

export interface GenerationsSpec {
  /** Folder of a service's publication; made before, as a directory of its own. */
  readonly root: string;
}

/** It is there or not: what lies in it is the publisher's. */
export type GenerationsState = Readonly<Record<never, never>>;

// Between folders and files: an undo takes the entries away first, then the generations made of them, then the folder.
const AFTER_FOLDERS = RANK.directory + 2;

const MAKE = 'for root in "$@"; do mkdir -p -m 0750 "$root/generations" || exit 1; done';
const REMOVE = `for root in "$@"; do
  cd "$root" || exit 1
  rm -rf -- generations current current.new former former.new held last publish.lock || exit 1
done`;

/** What the publisher makes in a publication's folder: the numbered generations and its own marks. */
export const generationsType: ResourceType<GenerationsSpec, GenerationsState> = {
  name: "generations",
  schema: z.strictObject({ root: Path }),
  rank: AFTER_FOLDERS,
  removal: "delete",
  key: (spec) => spec.root,
  desired: () => ({}),
  read: readGenerations,
  identity: (state) => state,
  apply: applyGenerations,
  showSpec: () => "numbered generations",
  showState: () => "numbered generations",
};

/**
 * Where a service's generations are made; its folder and `entries/` are declared too. @throws HW_INPUT_INVALID
 */
export function generations(spec: GenerationsSpec): Declared {
  return declare(generationsType, { ...spec }, false);
}

async function readGenerations(target: Target, keys: readonly string[]): Promise<Map<string, GenerationsState>> {
  const { stdout } = await runChecked(target.server, {
    script: 'for root in "$@"; do if [ -d "$root/generations" ]; then echo yes; else echo no; fi; done',
    args: keys,
    signal: target.signal,
  });
  const answers = stdout.toString("utf8").split("\n");
  return new Map(keys.filter((_key, index) => answers[index] === "yes").map((key) => [key, {}]));
}

async function applyGenerations(target: Target, changes: readonly Change<GenerationsState>[]): Promise<void> {
  for (const [script, wanted] of [
    [MAKE, changes.filter((change) => change.after !== null)],
    [REMOVE, changes.filter((change) => change.after === null)],
  ] as const) {
    if (wanted.length === 0) continue;
    const what = { script, args: wanted.map((change) => change.key) };
    const result = await target.mutate(what);
    if (result.exitCode !== 0) throw commandError(target.server.name, what, result);
  }
}
