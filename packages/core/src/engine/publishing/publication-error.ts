import type { Target } from "../../contracts/resource.ts";
import type { Publication } from "../../contracts/publication.ts";
import type { CommandResult } from "../../model/server.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { QuarantinedEntry, Outcome } from "./outcome.ts";

const REASON_LENGTH = 300;
const MOST_SHOWN = 10;

function ownFile(publication: Publication, file: string): boolean {
  return file.startsWith(`${publication.root}/`);
}

/** Name of the entry that the message blames, if it is one of ours. */
export function blamedEntry(publication: Publication, said: string): string | null {
  const file = publication.blame(said)?.file;
  return file !== undefined && ownFile(publication, file) ? file.slice(file.lastIndexOf("/") + 1) : null;
}

/** Does the message blame a file of somebody else? */
export function blamesForeign(publication: Publication, said: string): boolean {
  const file = publication.blame(said)?.file;
  return file !== undefined && !ownFile(publication, file);
}

/** Why, in one line. */
export function reasonOf(publication: Publication, said: string): string {
  const text = publication.blame(said)?.message ?? clean(said).split("\n").at(0) ?? "";
  return clean(text).replaceAll("\n", " ").slice(0, REASON_LENGTH);
}

/** What an attempt failed with; `refused`: the caller's entries that were found to be the cause. */
export function notPublished(
  target: Target,
  publication: Publication,
  outcome: Outcome,
  refused: readonly QuarantinedEntry[],
): HostwrightError {
  const server = target.server.name;
  const { unit, root } = publication;
  const { changed, generation, runs } = outcome;
  const said = clean(outcome.said);
  const blame = publication.blame(said);
  const why = reasonOf(publication, said);
  const kept = generation === 0 ? "nothing was put in force" : `generation ${generation} stays in force`;
  const entries = refused.length > 0 ? refused.map(({ name }) => name) : atFault(publication, outcome);
  const data = { file: blame?.file ?? null, entry: entries[0] ?? null, entries, changed, generation };
  switch (outcome.word) {
    case "foreign": {
      if (blame !== null && ownFile(publication, blame.file)) break;
      const where = blame === null ? "" : ` because of ${blame.file}, which is not Hostwright's`;
      return new HostwrightError(
        "HW_HTTP_FOREIGN_CONFIG",
        `${unit} on ${server} refused its configuration before anything was changed${where}: ${why}. Nothing was published; ${kept}.`,
        {
          server,
          output: said,
          data: { ...data, entry: null, entries: [] },
          remedy: blame === null ? "Fix what the output names, then try again." : `Fix ${blame.file}, then try again.`,
        },
      );
    }
    case "failed":
      return new HostwrightError(
        "HW_HTTP_RELOAD_FAILED",
        `${unit} on ${server} did not take the new configuration${why === "" ? "" : ` (${why})`}. The old one was put back: ${kept}${runs ? "" : `, but ${unit} does not run`}.`,
        { server, output: said, data: { ...data, runs } },
      );
    case "busy":
      return new HostwrightError(
        "HW_COMMAND_TIMEOUT",
        `Another publication holds ${root} on ${server} for over two minutes. Nothing was published.`,
        { server, retryable: true },
      );
    default:
  }
  const refusal = (what: string, end: string): HostwrightError =>
    new HostwrightError("HW_HTTP_CONFIG_REFUSED", `${unit} on ${server} refused ${what}. ${end}.`, {
      server,
      output: said === "" ? refused.map(({ name, reason }) => `${name}: ${reason}`).join("\n") : said,
      data,
    });
  if (refused.length > 0) {
    const shown = refused.slice(0, MOST_SHOWN).map(({ name, reason }) => `${name} (${reason})`);
    const more = refused.length > shown.length ? [`and ${refused.length - shown.length} more`] : [];
    const stands =
      outcome.word === "published" ? `generation ${generation} is in force without what was refused` : kept;
    return refusal([...shown, ...more].join(", "), `What was in force of it stays: ${stands}`);
  }
  const what = entries[0] ?? (changed.length === 1 ? changed[0] : `one of ${changed.length} changed entries`);
  return refusal(`${what}: ${why}`, `The old configuration was put back: ${kept}`);
}

/** The only change that was made is to blame, whatever file the message names. */
function atFault(publication: Publication, { word, changed, said }: Outcome): readonly string[] {
  if (word !== "foreign" && changed.length === 1) return changed;
  const blamed = blamedEntry(publication, said);
  return blamed === null ? [] : [blamed];
}

/** What an attempt failed with that gave no account of itself. */
export function brokenOff(target: Target, publication: Publication, result: CommandResult): HostwrightError {
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
    `Publishing in ${publication.root} on ${server} failed. The former generation stays in force.`,
    {
      server,
      output: clean(result.stderr),
      remedy: "Check that the folder exists and its disk has room, then try again.",
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
