import { createHash } from "node:crypto";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { canonicalJson } from "../../model/canonical.ts";
import type {
  EndedTask,
  ListedTask,
  StoredTask,
  TaskEnding,
  TaskState,
  TaskStore,
  TaskSubmission,
  Wants,
} from "../../contracts/store.ts";
import type { ReadRows, Rows, Tables } from "../../contracts/store/tables.ts";
import { fromJson, toJson } from "../json.ts";
import { TASK_PLANS, TASKS, type TaskRow } from "../tables/tasks.ts";
import { ENDED, lastNumber, nextNumber, PLACES } from "./counters.ts";
import { erasePriorStates, isCommitted } from "./table-journal.ts";
import { grantOwn } from "./lease-rows.ts";
import { deleteRecords, discardRecord } from "./record-changes.ts";
import { overBefore, removeTasks } from "./removable-tasks.ts";
import { removeSecrets } from "./table-secrets.ts";
import { listTasks, type TaskFilter } from "./task-lists.ts";
import { BACKWARDS, isOver, UNDER_WAY } from "./task-states.ts";

const ENDED_AT_ONCE = 100;

export class TableTasks implements TaskStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async submit(
    task: TaskSubmission,
    { subject, scopes }: Wants = { subject: task.id, scopes: [] },
  ): Promise<StoredTask> {
    const { id, type, actor, key, timeoutMs, createdAt, parent = null, about = null } = task;
    const digest = digestOf(task);
    return this.#tables.transact(async (rows) => {
      const [before] = key === null ? [] : await rows.list(TASKS, { by: "key", of: [{ actor, key }] });
      if (before !== undefined) return sameOrRefused(rows, before, digest);
      const [taken] = await rows.get(TASKS, [{ id }], ["id"]);
      if (taken !== undefined)
        throw new HostwrightError("HW_TASK_STATE", `A task ${id} exists already; it was left as it is.`);
      const given = { id, type, actor, key, parent, about, timeoutMs, createdAt, request: toJson(task.request) };
      const line = { seq: await nextPlace(rows), subject, waits: JSON.stringify(scopes) };
      const open = { state: "queued", finishedAt: null, ended: null, outcome: "null" } as const;
      await rows.put(TASKS, [{ ...given, digest, ...line, ...open }]);
      await putPlan(rows, id, task.plan);
      const { about: _about, ...stored } = task;
      return { ...stored, parent, state: "queued", finishedAt: null, outcome: null };
    });
  }

  async get(id: string): Promise<StoredTask | null> {
    return this.#tables.read(async (rows) => {
      const [row] = await rows.get(TASKS, [{ id }]);
      return row === undefined ? null : withPlan(rows, row);
    });
  }

  async state(id: string): Promise<TaskState | null> {
    const [row] = await this.#tables.read(async (rows) => rows.get(TASKS, [{ id }], ["state"]));
    return row?.state ?? null;
  }

  async position(id: string): Promise<number | null> {
    return this.#tables.read(async (rows) => {
      const [row] = await rows.get(TASKS, [{ id }], ["state", "seq"]);
      if (row?.state !== "queued") return null;
      return (await rows.count(TASKS, { by: "state", of: [{ state: "queued" }], before: { seq: row.seq } })) + 1;
    });
  }

  async list(filter: TaskFilter = {}): Promise<readonly ListedTask[]> {
    return (await this.#tables.read(async (rows) => listTasks(rows, filter))).map(parse);
  }

  async unfinished(): Promise<readonly Pick<StoredTask, "id" | "state">[]> {
    const query = { by: "state", of: UNDER_WAY.map((state) => ({ state })), columns: ["id", "state", "seq"] } as const;
    const found = await this.#tables.read(async (rows) => rows.list(TASKS, query));
    return found.toSorted((a, b) => a.seq - b.seq).map(({ id, state }) => ({ id, state }));
  }

  async move(
    id: string,
    from: readonly TaskState[],
    to: TaskState,
    change: Partial<Pick<StoredTask, "plan" | "outcome">> = {},
  ): Promise<boolean> {
    return this.#tables.transact(async (rows) => {
      const row = await movable(rows, id, from, to);
      if (row === null) return false;
      const outcome = "outcome" in change ? outcomeOf(change.outcome) : row.outcome;
      await rows.put(TASKS, [{ ...row, state: to, outcome }]);
      if ("plan" in change) await putPlan(rows, id, change.plan);
      return true;
    });
  }

  async end(id: string, from: readonly TaskState[], end: TaskEnding): Promise<boolean> {
    const { state, finishedAt } = end;
    return this.#tables.transact(async (rows) => {
      const row = await movable(rows, id, from, state);
      if (row === null) return false;
      const ended = await nextNumber(rows, ENDED, 1);
      await rows.put(TASKS, [{ ...row, state, outcome: outcomeOf(end.outcome), finishedAt, ended, waits: null }]);
      await deleteRecords(rows, end.deleteRecords);
      for (const discard of end.discards) await discardRecord(rows, discard);
      for (const prefix of end.eraseSecrets) await removeSecrets(rows, prefix);
      if (end.closer !== undefined) await grantOwn(rows, id, end.closer);
      if (isOver(state)) await erasePriorStates(rows, id);
      return true;
    });
  }

  async ended(after: number, limit: number = ENDED_AT_ONCE): Promise<readonly EndedTask[]> {
    const page = { by: "ended", after: { ended: after }, limit };
    const found = await this.#tables.read(async (rows) => rows.list(TASKS, page));
    return found.map((row) => ({ ...parse(row), ended: row.ended ?? 0 }));
  }

  async lastEnded(): Promise<number> {
    return this.#tables.read(async (rows) => lastNumber(rows, ENDED));
  }

  async endedBefore(time: string, limit: number, among?: readonly string[]): Promise<readonly string[]> {
    return this.#tables.read(async (rows) => overBefore(rows, time, limit, among));
  }

  async remove(ids: readonly string[]): Promise<number> {
    return this.#tables.transact(async (rows) => removeTasks(rows, ids));
  }
}

/** After all that are there, also those that a process of a former version puts into the line, which knows no counter. */
async function nextPlace(rows: Rows): Promise<number> {
  const [last] = await rows.list(TASKS, { by: "order", reverse: true, limit: 1, columns: ["seq"] });
  return nextNumber(rows, PLACES, (last?.seq ?? 0) + 1);
}

/** The task, if it is in one of these states and may go to the next. */
async function movable(rows: ReadRows, id: string, from: readonly TaskState[], to: TaskState): Promise<TaskRow | null> {
  const [row] = await rows.get(TASKS, [{ id }]);
  if (row === undefined || !from.includes(row.state)) return null;
  return BACKWARDS.includes(to) && (await isCommitted(rows, id)) ? null : row;
}

async function putPlan(rows: Rows, task: string, plan: unknown): Promise<void> {
  if ((plan ?? null) === null) await rows.remove(TASK_PLANS, [{ task }]);
  else await rows.put(TASK_PLANS, [{ task, plan: toJson(plan) }]);
}

async function withPlan(rows: ReadRows, row: TaskRow): Promise<StoredTask> {
  const [found] = await rows.get(TASK_PLANS, [{ task: row.id }]);
  return { ...parse(row), plan: fromJson(found?.plan ?? "null") };
}

async function sameOrRefused(rows: ReadRows, row: TaskRow, digest: string): Promise<StoredTask> {
  if (row.digest === digest) return withPlan(rows, row);
  throw new HostwrightError(
    "HW_KEY_REUSED",
    `The key ${row.key} belongs to task ${row.id} (${row.type}). Nothing was submitted.`,
    { data: { key: row.key, task: row.id } },
  );
}

// Taken when it is submitted: the stored plan changes later.
function digestOf({ type, request, plan }: TaskSubmission): string {
  return createHash("sha256")
    .update(canonicalJson([type, request ?? null, plan ?? null]))
    .digest("base64url");
}

/** It may carry a Secret for the caller at hand (a login link): only its placeholder is kept. */
function outcomeOf(outcome: unknown): string {
  return JSON.stringify(outcome ?? null);
}

function parse(row: TaskRow): ListedTask {
  const { id, type, state, actor, parent, key, timeoutMs, createdAt, finishedAt } = row;
  const [request, outcome] = [row.request, row.outcome].map(fromJson);
  return { id, type, request, state, actor, parent, key, timeoutMs, createdAt, finishedAt, outcome };
}
