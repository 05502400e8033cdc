import { spawn } from "node:child_process";
import { PassThrough, pipeline } from "node:stream";
import * as z from "zod";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { harmless } from "../servers/harmless.ts";
import type { Change, Declared, ResourceType, Target } from "../contracts/resource.ts";
import { RANK } from "./rank.ts";
import { reportOutcomes, type Failures } from "./outcomes.ts";
import { askPerl, changeByPerl } from "./perl.ts";
import { declare, isPlainText, Path } from "./schemas.ts";
import { APPLY_TREE, CLEAR_TREES, READ_TREES } from "./tree-programs.ts";

export interface TreeMountPoint {
  /** Relative to the release. */
  readonly path: string;
  readonly kind: "file" | "directory";
}

export interface TreeSpec {
  /** Where it stands on the server: `/srv/platforms/wp-6.8`. Missing folders above are made, root's own. */
  readonly path: string;
  /** Folder on the machine that Hostwright runs on, absolute. */
  readonly source: string;
  /** Folder within the release that the source becomes: `web`, or `.` for the release itself. */
  readonly at: string;
  /** Empty files and folders that parts of a site are bound over; what exists already stays. */
  readonly mountPoints: readonly TreeMountPoint[];
  /** `digestTree(source)`. */
  readonly digest: string;
  /** Room that it takes in bytes, by `surveyTree(source)`; unknown: no free space is asked for. */
  readonly bytes?: number | undefined;
}

export interface TreeState {
  /** Null: something stands there that is no release of ours. */
  readonly digest: string | null;
  /** What a release is made from; known of the wished one only. */
  readonly from?: Pick<TreeSpec, "source" | "at" | "mountPoints">;
}

/** File systems lay out things differently; and a server whose disk is full to the last block serves nobody. */
const MARGIN = 1.05;
const SPARE_BYTES = 16 * 1024 * 1024;

const Inside = z
  .string()
  .max(1000)
  .refine(isPlainText, "a path without control characters")
  .refine(
    (path) => path.split("/").every((name) => name !== "" && name !== "." && name !== ".."),
    "a relative path without . and ..",
  );

/**
 * A published release: root-owned, immutable, made by one rename after all of it was checked (decisions.md D21). Another
 * digest at the same path is HW_RESOURCE_FOREIGN: new code is published under a new name.
 */
export const treeType: ResourceType<TreeSpec, TreeState> = {
  name: "tree",
  schema: z.strictObject({
    path: Path,
    source: Path,
    at: z.union([z.literal("."), Inside]).default("."),
    mountPoints: z
      .array(z.strictObject({ path: Inside, kind: z.enum(["file", "directory"]) }))
      .readonly()
      .default([]),
    digest: z.string().regex(/^[0-9a-f]{64}$/, "a digest made by digestTree"),
    bytes: z.int().min(0).optional(),
  }),
  rank: RANK.tree,
  removal: "clean-up",
  key: (spec) => spec.path,
  desired: ({ digest, source, at, mountPoints }) => ({ digest, from: { source, at, mountPoints } }),
  read: readTrees,
  identity: ({ digest }) => ({ digest }),
  guards: ({ path, bytes }) =>
    bytes === undefined ? [] : [{ kind: "free-space", path, bytes: Math.ceil(bytes * MARGIN) + SPARE_BYTES }],
  apply: async (target, changes) => {
    for (const change of changes) await applyTree(target, change);
  },
  clear: async (target, paths) => {
    await changeByPerl(target, CLEAR_TREES, paths.map((path) => `${path}\0`).join(""));
  },
  showSpec: (spec) => `release ${spec.digest.slice(0, 12)} from ${spec.source}`,
  showState: ({ digest }) => (digest === null ? "(no release of ours)" : `release ${digest.slice(0, 12)}`),
};

export interface TreeInput
  extends Pick<TreeSpec, "path" | "source" | "digest">, Partial<Pick<TreeSpec, "at" | "mountPoints" | "bytes">> {}

/** A release made of a folder on this machine; `at` defaults to ".", `mountPoints` to none. @throws HW_INPUT_INVALID */
export function tree(input: TreeInput): Declared {
  return declare(treeType, input, undefined);
}

async function readTrees(target: Target, paths: readonly string[]): Promise<Map<string, TreeState>> {
  const states = new Map<string, TreeState>();
  if (paths.length === 0) return states;
  const { stdout } = await askPerl(target, READ_TREES, paths.map((path) => `${path}\0`).join(""));
  const words = stdout.toString("utf8").split("\0");
  if (words.length !== paths.length + 2 || words.at(-2) !== "end") {
    const message = `The releases on ${target.server.name} could not be read: the answer was incomplete. Nothing was changed.`;
    throw new HostwrightError("HW_COMMAND_FAILED", message, { server: target.server.name, retryable: true });
  }
  paths.forEach((path, index) => {
    const word = words[index] ?? "-";
    if (word !== "-") states.set(path, { digest: word === "o" ? null : word });
  });
  return states;
}

const FAILURES: Failures = {
  unsafe: {
    code: "HW_PERMISSION_DENIED",
    says: (key, detail) => `${key}: ${detail} on its way is a link, or can be changed by others than root`,
    remedy: "Give the folder to root without write access for group and others.",
  },
  digest: {
    code: "HW_RESOURCE_CHANGED",
    says: (key) => `${key}: what arrived is not what was planned; nothing of it was kept`,
    remedy: "Plan again: somebody changed the source, or the stream was cut.",
  },
  changed: { code: "HW_RESOURCE_CHANGED", says: (key) => `${key}: it is not what it was when it was read` },
};

async function applyTree(target: Target, { key, before, after }: Change<TreeState>): Promise<void> {
  if (before !== null && (before.digest === null || (after !== null && before.digest !== after.digest))) {
    const what =
      before.digest === null ? "something that is no release of ours" : "another release, and a release never changes";
    throw new HostwrightError(
      "HW_RESOURCE_FOREIGN",
      `At ${key} on ${target.server.name} stands ${what}. It was left as it is.`,
      {
        server: target.server.name,
        remedy: "Publish under a new name.",
        data: { keys: [key] },
      },
    );
  }
  const states = [before?.digest ?? "-", after?.digest ?? "-"];
  const from = after?.from;
  if (after !== null && from === undefined) {
    throw new HostwrightError(
      "HW_INTERNAL",
      `The source of ${key} is not known: a deleted release cannot be brought back.`,
    );
  }
  const points = from?.mountPoints.flatMap(({ kind, path }) => [kind, path]) ?? [];
  const args = [key, ...states, from?.at ?? ".", ...points];
  const options = { args, timeoutMs: 3_600_000, about: key };
  const stdout =
    from === undefined
      ? (await changeByPerl(target, APPLY_TREE, "", options)).stdout
      : await sendTree(target, from.source, options);
  reportOutcomes(target.server, [key], stdout, FAILURES);
}

/** Streams the source as a tar into the program; whichever end fails first is the one that is told of. */
async function sendTree(
  target: Target,
  source: string,
  options: { readonly args: readonly string[]; readonly timeoutMs: number; readonly about: string },
): Promise<Buffer> {
  const args = [
    "--create",
    "--file=-",
    "--sort=name",
    "--hard-dereference",
    "--numeric-owner",
    "--owner=0",
    "--group=0",
    "-C",
    source,
    ".",
  ];
  const tar = spawn("tar", args, { stdio: ["ignore", "pipe", "pipe"], signal: target.signal });
  let problem = "";
  tar.stderr.on("data", (chunk: Buffer) => (problem = (problem + chunk.toString()).slice(-2000)));
  const ended = new Promise<number | null>((resolve) => {
    tar.on("error", (error) => {
      problem ||= error.message;
      resolve(null);
    });
    tar.once("close", resolve);
  });
  // Node throws away what an ended child wrote and nobody reads yet: a small release, while the channel is being opened.
  const content = pipeline(tar.stdout, harmless(new PassThrough()), () => undefined);
  const sending = changeByPerl(target, APPLY_TREE, content, options).finally(() => {
    // A server that stopped reading would leave tar waiting for ever.
    if (tar.exitCode === null) tar.kill();
    content.destroy();
  });
  const [sent, code] = await Promise.allSettled([sending, ended]);
  // The source's own failure is the cause of whatever the server said. 1 is a file that moved: the digest judges that.
  if (code.status === "fulfilled" && code.value !== null && code.value > 1) throw unreadable(source, problem);
  if (sent.status === "rejected") throw sent.reason;
  return sent.value.stdout;
}

function unreadable(source: string, output: string): HostwrightError {
  return new HostwrightError(
    "HW_PLATFORM_INVALID",
    `The source ${source} could not be read to its end. Nothing was published.`,
    { output },
  );
}
