import { readFile } from "node:fs/promises";
import {
  type CommandResult,
  type Operation,
  type OperationContext,
  type ResourceType,
  type Target,
  HostwrightError,
  type Plugin,
} from "@hostwright/core/plugin";
import * as z from "zod";

/** What an operation writes into its site's file. */
export interface Entry {
  readonly file: string;
  readonly task: string;
  /** In the order of submission. */
  readonly number: number;
}

/** A line of a site's file: it was done or taken back, by which task, under which fencing token. */
export interface Line {
  readonly verb: "did" | "undid";
  readonly task: string;
  readonly number: number;
  readonly token: string;
}

// Arguments: file, verb, task, number, and the token that the server adds. One write: a line is there whole or not.
const APPEND = `printf '%s %s %s %s\\n' "$2" "$3" "$4" "$5" >> "$1"`;
// Arguments: file, value before, value after; empty is absence.
const SET = `
now=; [ ! -e "$1" ] || now=$(cat "$1")
[ "$now" != "$3" ] || exit 0
[ "$now" = "$2" ] || exit 3
if [ -n "$3" ]; then printf '%s' "$3" > "$1.new" && mv "$1.new" "$1"; else rm -f "$1"; fi
`;

export async function linesOf(file: string): Promise<readonly Line[]> {
  const lines = (await textOf(file)).split("\n").slice(0, -1);
  return lines.map((line) => {
    const [verb = "", task = "", number = "", token = ""] = line.split(" ");
    return { verb: verb as Line["verb"], task, number: Number(number), token };
  });
}

export async function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
}

async function stands({ file, task }: Entry): Promise<boolean> {
  return (await linesOf(file)).findLast((line) => line.task === task)?.verb === "did";
}

async function write({ target }: OperationContext, verb: Line["verb"], entry: Entry): Promise<null> {
  await change(target, APPEND, [entry.file, verb, entry.task, String(entry.number)]);
  return null;
}

async function change(target: Target, script: string, args: readonly string[]): Promise<CommandResult> {
  const result = await target.mutate({ script, args });
  if (result.exitCode === 0) return result;
  throw new HostwrightError(
    result.exitCode === 3 ? "HW_RESOURCE_CHANGED" : "HW_COMMAND_FAILED",
    `${args[0]}: ${result.stderr}`,
    { server: target.server.name },
  );
}

const append: Operation<Entry> = {
  name: "soak-append",
  version: 1,
  run: async (context, entry) => write(context, "did", entry),
  probe: async (_context, entry) => ((await stands(entry)) ? "done" : "absent"),
  undo: async (context, entry) => {
    if (await stands(entry)) await write(context, "undid", entry);
  },
};

const fail: Operation<Entry> = {
  name: "soak-fail",
  version: 1,
  run: async () => {
    throw new HostwrightError("HW_PROBE_FAILED", "This task fails, as it was told to.");
  },
  probe: async () => "absent",
  undo: async () => undefined,
};

interface Value {
  readonly value: string;
}

const value: ResourceType<Value & { readonly file: string }, Value> = {
  name: "soak-value",
  schema: z.strictObject({ file: z.string(), value: z.string() }),
  rank: 40,
  removal: "delete",
  key: ({ file }) => file,
  desired: ({ value: wanted }) => ({ value: wanted }),
  read: async (_target, keys) => {
    const texts = await Promise.all(keys.map(async (key) => [key, { value: await textOf(key) }] as const));
    return new Map(texts.filter(([, state]) => state.value !== ""));
  },
  identity: (state) => state,
  apply: async (target, changes) => {
    for (const { key, before, after } of changes)
      await change(target, SET, [key, before?.value ?? "", after?.value ?? ""]);
  },
  showSpec: ({ value: wanted }) => wanted,
  showState: (state) => state.value,
};

/** The only plugin of a soak: what its tasks do on a server. */
export const soakPlugin: Plugin = {
  name: "test-soak",
  contract: 1,
  operations: [append, fail],
  resourceTypes: [value],
};
