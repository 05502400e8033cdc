import { Writable } from "node:stream";

/** How a program ended: its exit code, or in `PUMP`'s words. */
export type Ended = number | "stalled" | "broken" | "stopped" | null;

/** What a receiving `PUMP` has said. */
export interface Report {
  /** Null: nothing, or it was not waited for. */
  readonly source: Ended;
  readonly trailer: boolean;
  readonly given: number;
  readonly sink: Ended;
  readonly taken: number;
}

/** Both ended well, and all that was given was taken. */
export function isWhole({ source, trailer, given, sink, taken }: Report): boolean {
  return source === 0 && trailer && sink === 0 && taken === given;
}

const WORDS = ["taken", "source", "sink", "unread"];
const LONGEST_LINE = 200;

/** Takes the lines of a receiving `PUMP` as they come, and keeps the last of each word. */
export class ReportLines extends Writable {
  readonly #onTaken: (bytes: number) => void;
  readonly #said = new Map<string, string>();
  #line = "";

  constructor(onTaken: (bytes: number) => void) {
    super();
    this.#onTaken = onTaken;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const lines = (this.#line + chunk.toString("latin1")).split("\n");
    this.#line = lines.pop()?.slice(0, LONGEST_LINE) ?? "";
    for (const line of lines) this.#take(line.slice(0, LONGEST_LINE));
    done();
  }

  /** What it comes to. */
  report(): Report {
    const [source, seen, given] = (this.#said.get("source") ?? "").split(" ");
    return {
      source: endedOf(source),
      trailer: seen === "1",
      given: countOf(given),
      sink: endedOf(this.#said.get("sink")),
      taken: Math.max(0, countOf(this.#said.get("taken")) - countOf(this.#said.get("unread"))),
    };
  }

  #take(line: string): void {
    const space = line.indexOf(" ");
    const [word, rest] = [line.slice(0, space), line.slice(space + 1)];
    if (!WORDS.includes(word)) return;
    this.#said.set(word, rest);
    if (word === "taken") this.#onTaken(countOf(rest));
  }
}

function endedOf(word: string | undefined): Ended {
  if (word === "stalled" || word === "broken" || word === "stopped") return word;
  return word !== undefined && /^\d{1,3}$/.test(word) ? Number(word) : null;
}

function countOf(word: string | undefined): number {
  return word !== undefined && /^\d{1,15}$/.test(word) ? Number(word) : 0;
}
