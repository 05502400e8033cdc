import type { TaskDescription, TaskRequest, TaskValue } from "../../contracts/task.ts";
import type { HttpRole } from "../../contracts/roles/http.ts";
import type { RecordStore, RecordVersion, RegisterStore } from "../../contracts/store.ts";
import type { Estate } from "./estate.ts";
import type { Claim } from "../sessions/claim.ts";
import type { FactsWanted, ServerFacts } from "./facts.ts";
import type { JudgedSet, PlanData } from "./plan.ts";
import type { Pending } from "../publishing/publisher.ts";
import type { Registry } from "../plugins/registry.ts";
import type { Session } from "../sessions/session.ts";
import type { Step } from "./steps.ts";
import type { ServerRecord } from "../../model/records.ts";

/** What a task type plans with. Everything here reads; nothing changes a server. */
export interface PlanningContext {
  readonly estate: Estate;
  readonly registry: Registry;
  readonly session: Session;
  readonly records: RecordStore;
  readonly register: Pick<RegisterStore, "orphans" | "about">;
  /** Id of the task that is planned; drafts of records belong to it. */
  readonly task: string;
  readonly uids: { readonly from: number; readonly to: number };
  /** Facts of a server, read once per planning. @throws HW_SERVER_CLAIMED when another installation has it */
  facts(server: ServerRecord, wanted?: FactsWanted): Promise<ServerFacts>;
  /** Who has a server, read with its facts; null: nobody yet. */
  claimOf(server: ServerRecord): Promise<Claim | null>;
  /** This installation, as it claims servers. */
  installation(): Promise<Omit<Claim, "since">>;
  /** What waits in the entries of one of its http services, read once per planning. */
  pending(server: ServerRecord, role: HttpRole): Promise<Pending>;
}

/** What a task type asks for; core reads, diffs, orders and makes the plan of it. */
export type TaskDraft<Value = TaskValue> = Pick<
  PlanData,
  "title" | "reserve" | "commit" | "release" | "eraseOnCommit" | "eraseOnUndo" | "afterwards"
> & {
  /**
   * What it has for itself alone while it is worked: `site/<id>`, `platform/<id>`, `server/<id>`. The first names the
   * fence. What else it has follows from its steps.
   */
  readonly about: readonly string[];
  readonly steps: readonly Step[];
  /** Records by which the whole was decided, beside those of its steps. Default: none. */
  readonly records?: readonly RecordVersion[];
  /** What the whole was made for all of, beside that of its steps: see `judgedSet`. Default: nothing. */
  readonly sets?: readonly JudgedSet[];
  /**
   * Given back when the task succeeds, with what the task itself makes, a login link; what is still being read is waited for after the servers' states. A function is asked
   * once the steps are planned.
   */
  readonly value: Partial<Value> | Promise<Partial<Value>> | (() => Promise<Partial<Value>>);
};

/** A kind of task: how it is asked for, what it takes and gives, and how it is planned. Made by `defineTask`. */
export interface TaskType<Args extends readonly unknown[], Input, Value> extends TaskDescription<Input, Value> {
  request(...args: Args): TaskRequest<Value>;
  plan(context: PlanningContext, input: Input): Promise<TaskDraft<Value>>;
}

export const NOTHING: Omit<TaskDraft, "title" | "about" | "steps" | "value"> = {
  reserve: [],
  commit: { put: [], deleteRecords: [] },
  release: [],
  eraseOnCommit: [],
  eraseOnUndo: [],
  afterwards: null,
};

/** One of whatever input and value: what `judgeRequest` gives is its input. */
export type AnyTaskType = TaskType<never, unknown, object>;
