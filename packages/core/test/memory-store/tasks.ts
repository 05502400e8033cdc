import type { ListedTask, StoredTask, TaskState, TaskStore } from "../../src/contracts/store.ts";
import { HostwrightError } from "../../src/errors/hostwright-error.ts";
import { canonicalJson } from "../../src/model/canonical.ts";
import { fromJson, toJson } from "../../src/store/json.ts";
import { deleteRecords, discardRecord } from "./records.ts";
import { grantOwn } from "./leases.ts";
import { nextNumber, type TaskRow, type Tables } from "./tables.ts";

const ENDED = "ended-tasks";
const ENDED_AT_ONCE = 100;
const UNFINISHED: readonly TaskState[] = ["running", "cancelling", "undoing"];
const OVER: readonly TaskState[] = ["succeeded", "undone"];
const BACKWARDS: readonly TaskState[] = ["cancelling", "undoing", "undone"];

export function memoryTasks(tables: Tables): TaskStore {
  return {
    submit: async (task, wants = { subject: task.id, scopes: [] }) => {
      const { type, request, plan, key, actor } = task;
      const submitted = canonicalJson([type, request ?? null, plan ?? null]);
      const before = [...tables.tasks.values()].find((row) => key !== null && row.key === key && row.actor === actor);
      if (before !== undefined) {
        if (before.submitted === submitted) return parse(before);
        throw new HostwrightError("HW_KEY_REUSED", `The key ${key} belongs to task ${before.id}.`);
      }
      if (tables.tasks.has(task.id)) throw new HostwrightError("HW_TASK_STATE", `A task ${task.id} exists already.`);
      tables.tasks.set(task.id, {
        ...task,
        parent: task.parent ?? null,
        state: "queued",
        request: toJson(request),
        plan: toJson(plan),
        outcome: "null",
        finishedAt: null,
        submitted,
        ended: 0,
        place: tables.tasks.size,
        subject: wants.subject,
        waits: wants.scopes,
      });
      return { ...task, parent: task.parent ?? null, state: "queued", finishedAt: null, outcome: null };
    },
    get: async (id) => {
      const row = tables.tasks.get(id);
      return row === undefined ? null : parse(row);
    },
    state: async (id) => tables.tasks.get(id)?.state ?? null,
    position: async (id) => {
      const queued = [...tables.tasks.values()].filter((row) => row.state === "queued");
      const index = queued.findIndex((row) => row.id === id);
      return index < 0 ? null : index + 1;
    },
    ended: async (after, limit = ENDED_AT_ONCE) =>
      [...tables.tasks.values()]
        .filter((row) => row.ended > after)
        .toSorted((a, b) => a.ended - b.ended)
        .slice(0, limit)
        .map((row) => ({ ...listed(row), ended: row.ended })),
    endedBefore: async (time, limit, among) =>
      [...tables.tasks.values()]
        .filter((row) => OVER.includes(row.state) && (row.finishedAt ?? time) < time)
        .filter(({ id }) => among?.includes(id) ?? (!isAwaited(tables, id) && !isHeld(tables, id)))
        .toSorted((a, b) => ((a.finishedAt ?? "") < (b.finishedAt ?? "") ? -1 : 1))
        .slice(0, limit)
        .map(({ id }) => id),
    remove: async (ids) => {
      const gone = ids.filter(
        (id) => OVER.includes(tables.tasks.get(id)?.state ?? "queued") && !isHeld(tables, id) && !isAwaited(tables, id),
      );
      for (const id of gone) {
        tables.tasks.delete(id);
        tables.journal.delete(id);
        tables.commits.delete(id);
        for (const secret of tables.secrets.keys()) if (secret.startsWith(`task/${id}/`)) tables.secrets.delete(secret);
      }
      return gone.length;
    },
    lastEnded: async () => tables.counters.get(ENDED) ?? 0,
    list: async ({ states, parent, newest, after, limit } = {}) => {
      const rows = [...tables.tasks.values()];
      if (newest === true) rows.reverse();
      const from = after === undefined ? 0 : rows.findIndex(({ id }) => id === after) + 1 || rows.length;
      return rows
        .slice(from)
        .filter((row) => states === undefined || states.includes(row.state))
        .filter((row) => parent === undefined || row.parent === parent)
        .slice(0, limit)
        .map(listed);
    },
    unfinished: async () =>
      [...tables.tasks.values()]
        .filter(({ state }) => UNFINISHED.includes(state))
        .map(({ id, state }) => ({ id, state })),
    move: async (id, from, to, change = {}) => {
      const row = tables.tasks.get(id);
      if (row === undefined || !from.includes(row.state)) return false;
      if (BACKWARDS.includes(to) && tables.commits.has(id)) return false;
      tables.tasks.set(id, {
        ...row,
        state: to,
        plan: "plan" in change ? toJson(change.plan) : row.plan,
        // It may carry a Secret for the caller at hand: only its placeholder is kept.
        outcome: "outcome" in change ? JSON.stringify(change.outcome ?? null) : row.outcome,
      });
      return true;
    },
    end: async (id, from, { state, outcome, finishedAt, deleteRecords: removals, discards, eraseSecrets, closer }) => {
      const row = tables.tasks.get(id);
      if (row === undefined || !from.includes(row.state)) return false;
      if (BACKWARDS.includes(state) && tables.commits.has(id)) return false;
      const ended = nextEnd(tables);
      tables.tasks.set(id, { ...row, state, outcome: JSON.stringify(outcome ?? null), finishedAt, ended, waits: null });
      if (closer !== undefined) grantOwn(tables, id, closer);
      deleteRecords(tables, removals);
      for (const discard of discards) discardRecord(tables, discard);
      for (const prefix of eraseSecrets)
        for (const secret of tables.secrets.keys()) if (secret.startsWith(prefix)) tables.secrets.delete(secret);
      const journal = tables.journal.get(id);
      if (state !== "needs-attention" && journal !== undefined)
        tables.journal.set(
          id,
          journal.map((entry) => ({ ...entry, undo: null })),
        );
      return true;
    },
  };
}

function isHeld(tables: Tables, id: string): boolean {
  return [...tables.leases.values()].some(({ task }) => task === id);
}

function isAwaited({ tasks }: Tables, id: string): boolean {
  const parent = tasks.get(tasks.get(id)?.parent ?? "");
  return parent !== undefined && !OVER.includes(parent.state);
}

export function nextEnd(tables: Tables): number {
  return nextNumber(tables, ENDED, 1);
}

function listed(row: TaskRow): ListedTask {
  const { plan: _plan, ...task } = parse(row);
  return task;
}

function parse(row: TaskRow): StoredTask {
  const { id, type, state, actor, parent, key, timeoutMs, createdAt, finishedAt } = row;
  const [request, plan, outcome] = [row.request, row.plan, row.outcome].map(fromJson);
  return { id, type, request, state, plan, actor, parent, key, timeoutMs, createdAt, finishedAt, outcome };
}
