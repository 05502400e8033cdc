import type { ErrorCode } from "../errors/codes.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Server } from "../model/server.ts";

/** What became of one change on the server: a word, and what explains it. */
export interface Outcome {
  readonly word: string;
  readonly detail: string;
}

export interface Failure {
  readonly code: ErrorCode;
  readonly says: (key: string, detail: string) => string;
  /** Default: the remedy of the code. */
  readonly remedy?: string;
}

/** By the word that the server's program gives; the gravest first, it gives the error its code. */
export type Failures = Readonly<Record<string, Failure>>;

const UNKNOWN: Failure = { code: "HW_COMMAND_FAILED", says: (key, detail) => `${key}: ${detail}` };

/** Parses `word NUL detail NUL` for every change, then `end NUL`; null if anything lacks. */
export function parseOutcomes(output: string, count: number): readonly Outcome[] | null {
  const fields = output.split("\0");
  if (fields.length !== 2 * count + 2 || fields.at(-2) !== "end") return null;
  return Array.from({ length: count }, (_, index) => ({
    word: fields[2 * index] ?? "",
    detail: fields[2 * index + 1] ?? "",
  }));
}

/**
 * Passes when every change is `done` or stood so `already`; everything else was left as it was.
 * @throws HostwrightError with the code of the gravest failure; `data.keys` names all that were left.
 */
export function reportOutcomes(server: Server, keys: readonly string[], output: Buffer, failures: Failures): void {
  const outcomes = parseOutcomes(output.toString("utf8"), keys.length);
  if (outcomes === null) {
    const message = `${server.name} gave no full account of what it changed: its state must be read again.`;
    throw new HostwrightError("HW_COMMAND_FAILED", message, { server: server.name });
  }
  const words = Object.keys(failures);
  const failed = outcomes.flatMap(({ word, detail }, index) =>
    word === "done" || word === "already" ? [] : [{ word, detail, key: keys[index] ?? "" }],
  );
  if (failed.length === 0) return;
  const gravest = failures[words.find((word) => failed.some((one) => one.word === word)) ?? ""] ?? UNKNOWN;
  const shown = failed.slice(0, 10).map(({ word, key, detail }) => (failures[word] ?? UNKNOWN).says(key, detail));
  const more = failed.length > shown.length ? [`and ${failed.length - shown.length} more`] : [];
  throw new HostwrightError(
    gravest.code,
    `On ${server.name} these were left as they are: ${[...shown, ...more].join("; ")}.`,
    {
      server: server.name,
      data: { keys: failed.map((one) => one.key) },
      ...(gravest.remedy === undefined ? {} : { remedy: gravest.remedy }),
    },
  );
}
