import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Operation, OperationContext } from "../contracts/operation.ts";
import type { UnitProperty } from "../contracts/roles/runtime.ts";
import { resolveReferences } from "../model/references.ts";
import { DISK_FULL } from "../servers/checked.ts";
import { bounded, runRemoteUnit, stopRemoteUnit } from "./remote-unit.ts";

/** A run of the platform's driver as the site's user in its sandbox. */
export interface SiteCommandInput {
  /** What it is, for messages: `the installer of example.com`. */
  readonly what: string;
  readonly properties: readonly UnitProperty[];
  readonly argv: readonly string[];
  /** Sent as one JSON object on stdin, references put in. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  /** The site's own folders: emptied as its user when this is undone. */
  readonly folders: readonly string[];
}

/** Runs the driver and gives the JSON object of its last line. @throws HW_INSTALLER_FAILED with its output, HW_COMMAND_TIMEOUT */
export async function askDriver(context: OperationContext, input: SiteCommandInput): Promise<Record<string, unknown>> {
  const { target } = context;
  const { name } = target.server;
  const { stdout, ...result } = await runRemoteUnit(target, {
    attempt: context.attempt,
    argv: input.argv,
    properties: input.properties,
    stdin: JSON.stringify(resolveReferences(input.input, target.resolve)),
    timeoutMs: input.timeoutMs,
    writes: input.folders,
  });
  const output = bounded(context.redact(`${stdout}\n${result.stderr}`).trim());
  if (result.result === "timeout") {
    throw new HostwrightError(
      "HW_COMMAND_TIMEOUT",
      `${input.what} on ${name} did not end in ${Math.round(input.timeoutMs / 1000)} s and was stopped.`,
      {
        server: name,
        output,
        remedy: "See in its output how far it came, find out what it waited for, then try again.",
      },
    );
  }
  const lines = stdout.trimEnd().split("\n");
  const answer = parseAnswer(lines.at(-1) ?? "");
  if (result.result !== "success" || answer === null || "error" in answer) {
    const why = typeof answer?.["error"] === "string" ? answer["error"] : endedHow(result);
    const said = bounded(context.redact(why), 500).replace(/\.$/, "");
    const full = DISK_FULL.test(`${why}\n${stdout}\n${result.stderr}`);
    throw new HostwrightError(
      full ? "HW_DISK_FULL" : "HW_INSTALLER_FAILED",
      full
        ? `${input.what} on ${name} found no space left on a file system: ${said}.`
        : `${input.what} on ${name} failed: ${said}.`,
      {
        server: name,
        output,
        ...(full
          ? {}
          : { remedy: `Look at its output; fix what it names on ${name} or in the request, then try again.` }),
      },
    );
  }
  const said = lines.slice(0, -1).filter((line) => line.trim() !== "");
  for (const line of said.slice(-20)) context.log(bounded(line, 500));
  return answer;
}

/** The same; a `loginLink` in it is kept as a secret of the task. */
async function runSiteCommand(context: OperationContext, input: SiteCommandInput): Promise<Record<string, unknown>> {
  const { loginLink, ...rest } = await askDriver(context, input);
  if (typeof loginLink !== "string") return rest;
  return { ...rest, loginLink: await context.keep("login-link", { label: "login link", value: loginLink }) };
}

function endedHow({ result, exitCode }: { readonly result: string; readonly exitCode: number }): string {
  if (result === "success") return "it ended well but gave no answer";
  return `it ended by ${result} ${exitCode} without an answer`;
}

function parseAnswer(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

// Arguments: folders, some of which may be gone.
const EMPTY = `
code=0
for folder in "$@"; do
  [ ! -d "$folder" ] || /usr/bin/find "$folder" -mindepth 1 -delete || code=1
done
exit $code
`;

/** Empties the site's own folders as its own user, in its sandbox: root keeps out of them (decisions.md D26). */
export async function emptySiteFolders(
  context: OperationContext,
  input: Pick<SiteCommandInput, "properties" | "folders" | "what">,
): Promise<void> {
  if (input.folders.length === 0) return;
  const result = await runRemoteUnit(context.target, {
    attempt: context.attempt,
    argv: ["/bin/sh", "-c", EMPTY, "sh", ...input.folders],
    properties: input.properties,
    stdin: "",
    timeoutMs: 600_000,
    writes: input.folders,
  });
  if (result.result === "success") return;
  throw new HostwrightError(
    "HW_COMMAND_FAILED",
    `Files of ${input.what} on ${context.target.server.name} could not all be removed.`,
    {
      server: context.target.server.name,
      output: bounded(result.stderr),
    },
  );
}

/** Installer, seeding and the like: what it made lies in the site's folders and its database. */
export const siteCommand: Operation<SiteCommandInput> = {
  name: "site-command",
  version: 1,
  run: runSiteCommand,
  async probe(context) {
    await stopRemoteUnit(context.target, context.attempt);
    return "partial";
  },
  undo: emptySiteFolders,
};

/** Removes a site's own files, once they are wanted no longer. */
export const emptySite: Operation<SiteCommandInput> = {
  name: "empty-site",
  version: 1,
  run: emptySiteFolders,
  async probe(context) {
    await stopRemoteUnit(context.target, context.attempt);
    // Emptying again does no harm.
    return "absent";
  },
  async undo() {
    throw new HostwrightError("HW_UNDO_INCOMPLETE", "Removed files cannot be brought back.");
  },
};
