import type { JournalRow, JournalStore, RecordVersion, RegisterChanges } from "../../contracts/store.ts";
import type { PriorStates } from "./ensure.ts";
import type { Residue } from "../../model/residue.ts";
import { SYSTEM_CLOCK, timeText, type Clock } from "../../model/time.ts";

interface Box {
  seal(text: string, context: string): string;
  open(sealed: string, context: string): string;
}

type RowKey = Pick<JournalRow, "task" | "action" | "phase" | "attempt">;

interface Entry extends RegisterChanges {
  readonly rows: readonly JournalRow[];
}

const NOTHING: RegisterChanges = { put: [], remove: [] };
const EMPTY: Entry = { rows: [], ...NOTHING };

/** One action as the journal knows it. */
export interface ActionHistory {
  /** The last attempt at doing it. */
  readonly attempt: string;
  /** States before its first attempt. */
  readonly prior: PriorStates;
  readonly done: boolean;
  /** What it gave back, where it is done. */
  readonly output: unknown;
  /** The last attempt at undoing it: of a worker that died what it started may still run. */
  readonly undoing?: string;
  /** What its undo left behind; null when it was not undone, or not to its end. */
  readonly undone: readonly Residue[] | null;
}

/** Writes a task's journal: an outcome waits for the next intent and is committed together with it (decisions.md D10). */
export class Journal {
  readonly #store: JournalStore;
  readonly #box: Box;
  readonly #clock: Clock;
  #pending: Entry = EMPTY;

  constructor(store: JournalStore, box: Box, clock: Clock = SYSTEM_CLOCK) {
    this.#store = store;
    this.#box = box;
    this.#clock = clock;
  }

  /**
   * Durable when it returns, with what it registers: only then may the effect begin.
   * @throws HW_TASK_STATE and writes nothing unless these records are at their versions
   */
  async begin(
    key: RowKey,
    prior: PriorStates,
    put: RegisterChanges["put"] = [],
    expect: readonly RecordVersion[] = [],
  ): Promise<void> {
    const undo = Object.keys(prior).length === 0 ? null : this.#box.seal(JSON.stringify(prior), undoContext(key));
    const row: JournalRow = { ...key, state: "begun", undo, output: null, at: timeText(this.#clock) };
    await this.#write(joined(this.#pending, { rows: [row], put, remove: [] }), expect);
  }

  done(key: RowKey, output: unknown, register: RegisterChanges = NOTHING): void {
    const row: JournalRow = { ...key, state: "done", undo: null, output, at: timeText(this.#clock) };
    this.#pending = joined(this.#pending, { ...register, rows: [row] });
  }

  async flush(): Promise<void> {
    if (this.#pending.rows.length > 0) await this.#write(this.#pending);
  }

  /** What became of each action that was begun, by its index. */
  async history(task: string): Promise<ReadonlyMap<number, ActionHistory>> {
    const history = new Map<number, ActionHistory>();
    for (const row of await this.#store.read(task)) {
      const known = history.get(row.action);
      if (row.phase === "do" && row.state === "begun") {
        // Begun again after a crash it may find its own work: what was there before is what the first begin saw.
        history.set(row.action, {
          undone: null,
          done: false,
          output: null,
          prior: known?.prior ?? this.#prior(row),
          attempt: row.attempt,
        });
      } else if (row.phase === "do" && row.state === "done" && known !== undefined) {
        history.set(row.action, { ...known, done: true, output: row.output });
      } else if (row.phase === "undo" && row.state === "begun" && known !== undefined) {
        history.set(row.action, { ...known, undoing: row.attempt });
      } else if (row.phase === "undo" && row.state === "done" && known !== undefined) {
        history.set(row.action, { ...known, undone: row.output as readonly Residue[] });
      }
    }
    return history;
  }

  /** An outcome that could not be written waits on: an intent without its commit is none. */
  async #write({ rows, put, remove }: Entry, expect: readonly RecordVersion[] = []): Promise<void> {
    await this.#store.write(rows, { put, remove }, expect);
    this.#pending = EMPTY;
  }

  #prior(row: JournalRow): PriorStates {
    return row.undo === null ? {} : (JSON.parse(this.#box.open(row.undo, undoContext(row))) as PriorStates);
  }
}

function joined(a: Entry, b: Entry): Entry {
  return { rows: [...a.rows, ...b.rows], put: [...a.put, ...b.put], remove: [...a.remove, ...b.remove] };
}

/** What a sealed prior state says that it is. */
export function undoContext(key: Pick<JournalRow, "task" | "action">): string {
  return `undo/${key.task}/${key.action}`;
}
