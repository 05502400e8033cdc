import type { Target } from "../contracts/resource.ts";
import type { HttpRole } from "../contracts/roles/http.ts";
import type { CommandResult } from "../contracts/server.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { AWAIT, GENERATION_MARK, PENDING, PUBLISH } from "./publisher-script.ts";

export interface PublishOptions {
  /** A new generation and a reload although no entry differs: something outside of the entries changed. Default false. */
  readonly force?: boolean;
  /**
   * Entries that the caller answers for. When the web server refuses another task's entry, that one is left as it is in
   * force and the rest is published. Default: every entry counts, and any refused one fails the publication.
   */
  readonly own?: readonly string[];
}

export interface PublishResult {
  /** The generation in force; 0 when there is none yet. */
  readonly generation: number;
  /** Is it a new one? */
  readonly changed: boolean;
  /** Did the web server take it by a reload? False when it had to be started, or nothing changed. */
  readonly reloaded: boolean;
  /** Entries that differed from the generation in force before. */
  readonly entries: readonly string[];
  /** Entries of others that the web server refused and that wait for their owners. */
  readonly heldBack: readonly string[];
}

interface Outcome {
  readonly word: string;
  readonly generation: number;
  readonly runs: boolean;
  readonly ran: boolean;
  readonly changed: readonly string[];
  readonly said: string;
}

/** An entry's file name as it may travel in a list between spaces. */
const NAME = /^[\w][\w.-]*$/;
const MOST_HELD_BACK = 20;

function common({ publication }: HttpRole): readonly string[] {
  const { name, content } = publication.statusEntry(GENERATION_MARK);
  return [publication.root, name, content.trimEnd()];
}

/** Do entries wait for a publication, or was one left unfinished? One round trip that changes nothing. */
export async function pendingPublication(target: Target, http: HttpRole): Promise<boolean> {
  const result = await target.server.script({ script: PENDING, args: common(http), signal: target.signal });
  if (result.exitCode !== 0) throw failed(target, http, result);
  return result.stdout.toString().trim() === "pending";
}

/**
 * Puts the entries in `<root>/entries/` in force as one numbered generation (decisions.md D18), in one round trip. After a
 * failure the former generation is in force and its files are as they were; entries stay as their tasks wrote them.
 * @throws HW_HTTP_FOREIGN_CONFIG when the configuration was broken before, with the file in `data.file`.
 * @throws HW_HTTP_CONFIG_REFUSED when the web server's test refuses it; `data.entry` names the entry where it can be told.
 * @throws HW_HTTP_RELOAD_FAILED when the web server did not take it within 5 s.
 */
export async function publish(target: Target, http: HttpRole, options: PublishOptions = {}): Promise<PublishResult> {
  const heldBack: string[] = [];
  for (;;) {
    const outcome = await attempt(target, http, options.force ?? false, heldBack);
    const { word, generation } = outcome;
    const changed = word === "published";
    if (changed || word === "unchanged") {
      return { generation, changed, reloaded: changed && outcome.ran, entries: outcome.changed, heldBack };
    }
    const entry = word === "refused" ? blamedEntry(http, outcome.said) : null;
    const foreign =
      entry !== null && NAME.test(entry) && options.own?.includes(entry) === false && !heldBack.includes(entry);
    if (!foreign || heldBack.length === MOST_HELD_BACK) throw errorOf(target, http, outcome, entry);
    heldBack.push(entry);
  }
}

async function attempt(target: Target, http: HttpRole, force: boolean, held: readonly string[]): Promise<Outcome> {
  const { unit, test, status, errorLog = "" } = http.publication;
  const result = await target.mutate({
    script: PUBLISH,
    args: [
      ...common(http),
      unit,
      String(status.port),
      status.path,
      errorLog,
      force ? "1" : "0",
      held.join(" "),
      AWAIT,
      ...test,
    ],
    timeoutMs: 300_000,
  });
  const [head = "", changed = "", ...said] = result.stdout.toString().split("\n");
  const [word = "", generation = "", runs = "", ran = ""] = head.split(" ");
  if (result.exitCode !== 0 || !/^\d+$/.test(generation)) throw failed(target, http, result);
  return {
    word,
    generation: Number(generation),
    runs: runs === "yes",
    ran: ran === "yes",
    changed: changed.split(" ").filter((name) => name !== ""),
    said: clean(said.join("\n")),
  };
}

function ownFile({ publication }: HttpRole, file: string): boolean {
  return file.startsWith(`${publication.root}/`);
}

/** Name of the entry that the message blames, if it is one of ours. */
function blamedEntry(http: HttpRole, said: string): string | null {
  const file = http.publication.blame(said)?.file;
  return file !== undefined && ownFile(http, file) ? file.slice(file.lastIndexOf("/") + 1) : null;
}

function errorOf(target: Target, http: HttpRole, outcome: Outcome, entry: string | null): HostwrightError {
  const server = target.server.name;
  const { unit, root } = http.publication;
  const { said, changed, generation, runs } = outcome;
  const blame = http.publication.blame(said);
  const why = blame?.message ?? said.trim().split("\n").at(0) ?? "";
  const details = { server, output: said, data: { file: blame?.file ?? null, entry, changed, generation } };
  const kept = generation === 0 ? "nothing was put in force" : `generation ${generation} stays in force`;
  switch (outcome.word) {
    case "foreign": {
      if (blame !== null && ownFile(http, blame.file)) break;
      const where = blame === null ? "" : ` because of ${blame.file}, which is not Hostwright's`;
      return new HostwrightError(
        "HW_HTTP_FOREIGN_CONFIG",
        `${unit} on ${server} refused its configuration before anything was changed${where}: ${why}. Nothing was published; ${kept}.`,
        {
          ...details,
          mend: blame === null ? "Mend what the output names, then try again." : `Mend ${blame.file}, then try again.`,
        },
      );
    }
    case "failed":
      return new HostwrightError(
        "HW_HTTP_RELOAD_FAILED",
        `${unit} on ${server} did not take the new configuration${why === "" ? "" : ` (${why})`}. The old one was put back: ${kept}${runs ? "" : `, but ${unit} does not run`}.`,
        { ...details, data: { ...details.data, runs } },
      );
    case "busy":
      return new HostwrightError(
        "HW_COMMAND_TIMEOUT",
        `Another publication holds ${root} on ${server} for over two minutes. Nothing was published.`,
        {
          server,
          retryable: true,
        },
      );
    default:
  }
  const what = entry ?? (changed.length === 1 ? changed[0] : `one of ${changed.length} changed entries`);
  return new HostwrightError(
    "HW_HTTP_CONFIG_REFUSED",
    `${unit} on ${server} refused ${what}: ${why}. The old configuration was put back: ${kept}.`,
    details,
  );
}

function failed(target: Target, http: HttpRole, result: CommandResult): HostwrightError {
  const server = target.server.name;
  if (result.aborted)
    return new HostwrightError(
      "HW_CANCELLED",
      `The publication on ${server} was cancelled. The next one completes or reverts it.`,
      { server },
    );
  if (result.timedOut)
    return new HostwrightError(
      "HW_COMMAND_TIMEOUT",
      `The publication on ${server} did not end in time. The next one completes or reverts it.`,
      { server },
    );
  return new HostwrightError(
    "HW_COMMAND_FAILED",
    `Publishing in ${http.publication.root} on ${server} failed. The former generation stays in force.`,
    {
      server,
      output: clean(result.stderr),
      mend: "Check that the folder exists and its disk has room, then try again.",
    },
  );
}

function clean(text: string): string {
  const plain = text.replace(
    // oxlint-disable-next-line no-control-regex -- control characters are what is taken out here
    /[\u0000-\u0009\u000b-\u001f\u007f]/g,
    " ",
  );
  return plain.trim().slice(0, 8000);
}
