import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { loadKeyring } from "../../packages/core/src/store/keyring.ts";
import { SecretBox } from "../../packages/core/src/store/sealing.ts";
import type { JournalLine } from "../crash/explained.ts";

/** The state folder of a running instance, seen from outside: what a test may compare and must not find. */
export class StateFolder {
  readonly path: string;
  #store: DatabaseSync | undefined;

  constructor(path: string) {
    this.path = path;
  }

  get #db(): DatabaseSync {
    this.#store ??= new DatabaseSync(join(this.path, "store.db"), { readOnly: true });
    return this.#store;
  }

  /** Records, names, registered resources, leases and ids of secrets, a line each. Of plans only the running ones count. */
  rows(): string {
    const tables = [
      "SELECT 'record', kind, id, name, version, value FROM records ORDER BY kind, id",
      "SELECT 'claim', kind, name, id FROM claims ORDER BY kind, name",
      "SELECT 'register', server, type, key, owner, shared, hash FROM register ORDER BY server, type, key, owner",
      "SELECT 'lease', scope, task, mode FROM leases ORDER BY scope, task",
      "SELECT 'secret', id FROM secrets WHERE id NOT LIKE 'plan/%' AND id NOT LIKE 'task/%' ORDER BY id",
      "SELECT 'undo', task, action FROM journal WHERE undo IS NOT NULL",
      "SELECT 'unfinished', id, state FROM tasks WHERE state NOT IN ('succeeded', 'undone')",
    ];
    return tables
      .flatMap((sql) => this.#db.prepare(sql).all())
      .map((row) => Object.values(row).join(" "))
      .join("\n");
  }

  /** Every secret in clear, plans apart. */
  secrets(): readonly string[] {
    const box = new SecretBox(loadKeyring({ stateDir: this.path }));
    return this.#db
      .prepare("SELECT id, sealed FROM secrets WHERE id NOT LIKE 'plan/%'")
      .all()
      .map(({ id, sealed }) => box.open(String(sealed), String(id)));
  }

  /** How each task ended, last first. */
  lastTask(): { readonly id: string; readonly state: string; readonly outcome: string } {
    const row = this.#db.prepare("SELECT id, state, outcome FROM tasks ORDER BY seq DESC LIMIT 1").get();
    return { id: String(row?.["id"]), state: String(row?.["state"]), outcome: String(row?.["outcome"]) };
  }

  stateOf(task: string): string {
    return String(this.#db.prepare("SELECT state FROM tasks WHERE id = ?").get(task)?.["state"]);
  }

  /** Milliseconds from a finished task's submission to its end. */
  msOf(task: string): number {
    const row = this.#db.prepare("SELECT createdAt, finishedAt FROM tasks WHERE id = ?").get(task);
    return Date.parse(String(row?.["finishedAt"])) - Date.parse(String(row?.["createdAt"]));
  }

  /** Process id of the worker that answers for a task; null when nobody does. */
  workerOf(task: string): number | null {
    const row = this.#db.prepare("SELECT holder FROM leases WHERE scope = ?").get(`task/${task}`);
    const pid = /^\d+/.exec(String(row?.["holder"]))?.[0];
    return pid === undefined ? null : Number(pid);
  }

  /** The states that `task:finished` told of a task, in order. */
  toldEnds(task: string): readonly string[] {
    using events = new DatabaseSync(join(this.path, "events.db"), { readOnly: true });
    const sql = "SELECT payload FROM events WHERE task = ? AND type = 'task:finished' ORDER BY seq";
    return events
      .prepare(sql)
      .all(task)
      .map(({ payload }) => (JSON.parse(String(payload)) as { readonly state: string }).state);
  }

  /** What the journal says of a task's actions, in the order written. */
  journal(task: string): readonly JournalLine[] {
    const sql = "SELECT action, phase, state FROM journal WHERE task = ? ORDER BY number";
    return this.#db.prepare(sql).all(task) as unknown as JournalLine[];
  }

  /** All events as they are stored, as text. */
  events(): string {
    using events = new DatabaseSync(join(this.path, "events.db"), { readOnly: true });
    return events
      .prepare("SELECT type, payload FROM events ORDER BY seq")
      .all()
      .map((row) => Object.values(row).join(" "))
      .join("\n");
  }

  close(): void {
    this.#store?.close();
    this.#store = undefined;
  }
}
