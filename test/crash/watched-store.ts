import { Database } from "../../packages/core/src/store/sqlite/database.ts";
import { SqliteEvents } from "../../packages/core/src/store/sqlite/events.ts";
import { TableJournal } from "../../packages/core/src/store/state/table-journal.ts";
import { TableTasks } from "../../packages/core/src/store/state/table-tasks.ts";
import type { HostwrightEvent } from "@hostwright/core";
import type { Tripwire } from "./tripwire.ts";

/**
 * Makes every transaction of the store a step, whatever method asks for it, and follows by events and journal what the
 * task is doing. With `cancelled` somebody cancels the task in the very moment before its commit row.
 */
export function watchStore(wire: Tripwire, { cancelled }: { readonly cancelled: boolean }): void {
  followEvents(wire);
  followJournal(wire);
  followTasks();
  if (cancelled) cancelAtCommit(wire);
  const { write } = Database.prototype;
  Database.prototype.write = async function <T>(this: Database, work: () => T | Promise<T>): Promise<T> {
    const method = callingMethod();
    // Events are no state; a heartbeat comes when it likes.
    if (method === null) return (await write.call(this, work)) as T;
    const step = wire.begin(detail === "" ? method : `${method} (${detail})`);
    detail = "";
    try {
      return (await write.call(this, work)) as T;
    } finally {
      step.done();
    }
  };
}

function callingMethod(): string | null {
  const frame = /at (?:async )?Table([A-Z]\w+)\.(\w+) /.exec(new Error().stack ?? "");
  const [, part = "", method = ""] = frame ?? [];
  if (frame === null || method === "heartbeat") return null;
  return `${part.toLowerCase()}.${method}`;
}

/** What is written next, in words. */
let detail = "";
const titles = new Map<number, string>();

function followEvents(wire: Tripwire): void {
  const { append } = SqliteEvents.prototype;
  SqliteEvents.prototype.append = async function (this: SqliteEvents, events) {
    for (const event of events as readonly HostwrightEvent[]) {
      if (event.type === "task:recovered") wire.during = "recovered";
      if (event.type === "task:started") wire.during = "start";
      if (event.type === "task:committed") wire.during = "committed";
      if (event.type === "task:finished") wire.during = "finished";
      if (event.type === "action:started") {
        titles.set(event.payload.action, event.payload.title);
        wire.during = event.payload.title;
      }
    }
    return append.call(this, events);
  };
}

function followJournal(wire: Tripwire): void {
  const { write } = TableJournal.prototype;
  TableJournal.prototype.write = async function (this: TableJournal, rows, ...rest) {
    const undo = rows.find((row) => row.phase === "undo" && row.state === "begun");
    if (undo !== undefined) wire.during = `undo of ${titles.get(undo.action) ?? `action ${undo.action}`}`;
    detail = rows.map(({ phase, state }) => `${phase} ${state}`).join(", ");
    return write.call(this, rows, ...rest);
  };
}

function followTasks(): void {
  const { move } = TableTasks.prototype;
  TableTasks.prototype.move = async function (this: TableTasks, id, from, to, change) {
    cancelTask = async (task) => move.call(this, task, ["running"], "cancelling");
    detail = change?.plan === undefined ? to : "plan";
    return move.call(this, id, from, to, change);
  };
}

let cancelTask: (task: string) => Promise<unknown> = async () => undefined;

function cancelAtCommit(wire: Tripwire): void {
  const { commit } = TableJournal.prototype;
  TableJournal.prototype.commit = async function (this: TableJournal, task, ...rest) {
    wire.during = "undo";
    await cancelTask(task);
    return commit.call(this, task, ...rest);
  };
}
