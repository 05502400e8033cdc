import type { JournalRow, JournalStore } from "../contracts/store.ts";
import type { PriorStates } from "./ensure.ts";

interface Box {
  seal(text: string, context: string): string;
  open(sealed: string, context: string): string;
}

type RowKey = Pick<JournalRow, "task" | "action" | "phase" | "attempt">;

/** Writes a task's journal: an outcome waits for the next intent and is committed together with it (decisions.md D10). */
export class Journal {
  readonly #store: JournalStore;
  readonly #box: Box;
  readonly #holder: string;
  #pending: JournalRow[] = [];

  constructor(store: JournalStore, box: Box, holder: string) {
    this.#store = store;
    this.#box = box;
    this.#holder = holder;
  }

  /** Durable when it returns: only then may the effect begin. */
  async begin(key: RowKey, prior: PriorStates): Promise<void> {
    const undo = Object.keys(prior).length === 0 ? null : this.#box.seal(JSON.stringify(prior), undoContext(key));
    this.#pending.push({ ...key, state: "begun", undo, output: null, at: new Date().toISOString() });
    await this.flush();
  }

  done(key: RowKey, output: unknown): void {
    this.#pending.push({ ...key, state: "done", undo: null, output, at: new Date().toISOString() });
  }

  async flush(): Promise<void> {
    const rows = this.#pending;
    this.#pending = [];
    if (rows.length > 0) await this.#store.write(rows, this.#holder);
  }

  /** Actions whose effect may have begun, with what undo needs. */
  async begun(task: string): Promise<ReadonlyMap<number, { readonly attempt: string; readonly prior: PriorStates }>> {
    const begun = new Map<number, { attempt: string; prior: PriorStates }>();
    for (const row of await this.#store.read(task)) {
      if (row.phase !== "do" || row.state !== "begun") continue;
      const prior = row.undo === null ? {} : (JSON.parse(this.#box.open(row.undo, undoContext(row))) as PriorStates);
      begun.set(row.action, { attempt: row.attempt, prior });
    }
    return begun;
  }
}

function undoContext(key: Pick<RowKey, "task" | "action">): string {
  return `undo/${key.task}/${key.action}`;
}
