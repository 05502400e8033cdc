import type * as z from "zod";
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
  /** Makes secrets that do not exist yet and brings all into memory; an existing one is kept. */
  ensureSecrets(ids: readonly string[]): Promise<void>;
}

/** What a task type asks for; core reads, diffs, orders and makes the plan of it. The first lease names the fence. */
export type TaskDraft = Pick<
  PlanData,
  "title" | "leases" | "reserve" | "commit" | "release" | "eraseOnCommit" | "eraseOnUndo" | "afterwards"
> & {
  readonly steps: readonly Step[];
  /** Records by which the whole was decided, beside those of its steps. Default: none. */
  readonly records?: readonly RecordVersion[];
  /** What the whole was made for all of, beside that of its steps: see `judgedSet`. Default: nothing. */
  readonly sets?: readonly JudgedSet[];
  /**
   * Given back when the task succeeds; what is still being read is waited for after the servers' states. A function is asked
   * once the steps are planned.
   */
  readonly value: PlanData["value"] | Promise<PlanData["value"]> | (() => Promise<PlanData["value"]>);
};

/** What a request is about, by the names that it uses; `alias` may be any of the others. */
export interface TaskSubject {
  readonly site?: string;
  /** Further names that the site is to have: whoever asks for it by one of them waits as well. */
  readonly aliases?: readonly string[];
  readonly platform?: string;
  readonly server?: string;
  readonly alias?: string;
}

export interface TaskType<Request = never> {
  /** `noun:verb`. */
  readonly type: string;
  readonly schema: z.ZodType<Request>;
  /** What a person calls it before it is planned: `install example.com`. Pure. */
  title(request: Request): string;
  /**
   * Tasks of one subject are worked one after the other, in the order of their submission. Default: nothing, so that only
   * the leases of its plan say what it waits for.
   */
  subject?(request: Request): TaskSubject;
  plan(context: PlanningContext, request: Request): Promise<TaskDraft>;
}

export const NOTHING: Omit<TaskDraft, "title" | "leases" | "steps"> = {
  reserve: [],
  commit: { put: [], deleteRecords: [] },
  release: [],
  eraseOnCommit: [],
  eraseOnUndo: [],
  afterwards: null,
  value: {},
};

// oxlint-disable-next-line typescript/no-explicit-any -- each type parses its own request
export type AnyTaskType = TaskType<any>;
