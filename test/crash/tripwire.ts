import { writeSync } from "node:fs";

/** A moment of a task at which its worker may die. */
export interface Point {
  /** What happens then: `before`, `during` or `after` a step of an action, counted within the action. */
  readonly name: string;
  /** Milliseconds that a `during` lets the step run for: half of what it took when it was recorded. */
  readonly afterMs: number;
}

/** What a task does before its first action. */
export const PLANNING = "claim and plan";

/** A step that leaves something behind in the store or on a server. */
export interface Step {
  /** It was sent, and its answer is awaited. */
  sent(): void;
  /** Its answer is here, and nobody has seen it yet. */
  done(): void;
}

/**
 * Names the steps of a worker process by what they are, never by time, and either tells of each (`at` null) or kills the
 * process at one, as a loss of power would.
 */
export class Tripwire {
  readonly #at: Point | null;
  readonly #counts = new Map<string, number>();
  #armed = false;
  /** What the task is doing: steps are counted within it. */
  during: string = PLANNING;

  constructor(at: Point | null) {
    this.#at = at;
  }

  arm(): void {
    this.#armed = true;
  }

  begin(label: string): Step {
    if (!this.#armed) return { sent: () => undefined, done: () => undefined };
    const counted = `${this.during} > ${label}`;
    const count = (this.#counts.get(counted) ?? 0) + 1;
    this.#counts.set(counted, count);
    const name = `${counted} ${count}`;
    this.#pass(`before ${name}`);
    let sent: number | null = null;
    let ended = false;
    return {
      sent: () => {
        if (sent !== null) return;
        sent = performance.now();
        if (this.#at?.name === `during ${name}`) setTimeout(die, this.#at.afterMs, this.#at.name);
      },
      done: () => {
        if (ended) return;
        ended = true;
        // Quicker than when it was recorded: nobody has seen the answer all the same.
        if (sent !== null) this.#pass(`during ${name}`, (performance.now() - sent) / 2);
        this.#pass(`after ${name}`);
      },
    };
  }

  #pass(name: string, afterMs = 0): void {
    if (this.#at === null) tell({ name, afterMs });
    else if (this.#at.name === name) die(name);
  }
}

function die(name: string): void {
  tell({ died: name });
  process.kill(process.pid, "SIGKILL");
}

/** Written at once: what is still in a buffer dies with the process. */
export function tell(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

const BETWEEN =
  /\/core\/src\/(servers\/|engine\/(fence|session|resource-states)\.|resources\/(perl|systemd-bus)\.|store\/(sqlite\/(database|sqlite-tables)|state\/held-tables)\.)|\/test\/|node:|\/node_modules\//;

/** The part of the product that asks for a step: the nearest one that is not there for all. */
export function asker(): string {
  Error.stackTraceLimit = 40;
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  const frame = frames.find((line) => /\/packages\//.test(line) && !BETWEEN.test(line)) ?? "";
  return /([\w-]+)\.ts:\d+:\d+\)?$/.exec(frame)?.[1] ?? "somebody";
}
