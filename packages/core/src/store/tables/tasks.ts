import type { TaskState } from "../../contracts/store.ts";
import type { TableDefinition } from "../../contracts/store/tables.ts";

export interface TaskRow {
  readonly id: string;
  /** Rises with each submission. */
  readonly seq: number;
  readonly type: string;
  readonly request: string;
  readonly state: TaskState;
  readonly actor: string;
  readonly parent: string | null;
  readonly key: string | null;
  readonly timeoutMs: number | null;
  /** Of what was submitted, for whoever uses its key again. */
  readonly digest: string;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** Place among those that ended. */
  readonly ended: number | null;
  readonly outcome: string;
  /** In line: see `Wants`. */
  readonly subject: string | null;
  readonly waits: string | null;
  /** Name of what it is about. */
  readonly about: string | null;
}

export const TASKS: TableDefinition<TaskRow, "id"> = {
  name: "tasks",
  columns: {
    id: "text",
    seq: "integer",
    type: "text",
    request: "json",
    state: "text",
    actor: "text",
    parent: "text?",
    key: "text?",
    timeoutMs: "integer?",
    digest: "text",
    createdAt: "text",
    finishedAt: "text?",
    ended: "integer?",
    outcome: "json",
    subject: "text?",
    waits: "json?",
    about: "text?",
  },
  key: ["id"],
  lists: {
    order: { columns: ["seq"], unique: true },
    key: { columns: ["actor", "key"], unique: true },
    state: { columns: ["state", "seq"] },
    about: { columns: ["about", "seq"] },
    children: { columns: ["parent", "seq"] },
    line: { columns: ["subject", "seq"], where: "waits" },
    waiting: { columns: ["seq"], where: "waits" },
    finished: { columns: ["state", "finishedAt", "seq"] },
    ended: { columns: ["ended"] },
  },
};

/** Plans lie apart, since they may have megabytes: a task without a row has none. */
export interface TaskPlanRow {
  readonly task: string;
  readonly plan: string;
}

export const TASK_PLANS: TableDefinition<TaskPlanRow, "task"> = {
  name: "task_plans",
  columns: { task: "text", plan: "json" },
  key: ["task"],
  lists: {},
};

export interface CommitRow {
  readonly task: string;
  readonly at: string;
}

export const COMMITS: TableDefinition<CommitRow, "task"> = {
  name: "commits",
  columns: { task: "text", at: "text" },
  key: ["task"],
  lists: {},
};
