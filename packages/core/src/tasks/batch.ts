import * as z from "zod";
import type { ChildrenReport } from "../contracts/children-report.ts";
import type { PlainRequest, TaskChildren, TaskRequest, TaskType } from "../contracts/task.ts";
import { childrenReport } from "../plugin-kit/children-report.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import { PREVIEW } from "./preview.ts";

/** How a batch is worked. */
export interface BatchOptions {
  /** How many of its tasks may be unfinished at once, 1 to 100. Default: 4. */
  readonly concurrency?: number;
  /**
   * Number of failures, from 1 on, after which no further task is begun. Those under way come to their end, so that more
   * may fail. Default: all are tried.
   */
  readonly stopAfter?: number;
}

const BATCH = "task:batch";
// The right to each is asked for, and one that stands for others is none of its own.
const child = z
  .string()
  .refine((type) => type !== BATCH && type !== PREVIEW, "neither a batch nor a preview may be in a batch");

const Input: z.ZodType<TaskChildren> = z.strictObject({
  requests: z.array(z.looseObject({ type: child })).max(10_000),
  concurrency: z.int().min(1).max(100).exactOptional(),
  stopAfter: z.int().min(1).exactOptional(),
});

const title = ({ requests: { length } }: TaskChildren): string => `batch of ${length} task${length === 1 ? "" : "s"}`;

type Args = [requests: readonly PlainRequest[], options?: BatchOptions];

export const batchOfTasks: TaskType<Args, TaskChildren, ChildrenReport> = defineTask({
  type: BATCH,
  version: 1,
  input: Input,
  value: childrenReport,
  request: (...[requests, options = {}]: Args) => ({ requests: requests.map((one) => ({ ...one })), ...options }),
  title,
  subject: () => ({}),
  standsFor: ({ requests }) => requests,
  plan: async (_context, input) => ({
    title: title(input),
    about: [],
    steps: [],
    children: input,
    value: {},
  }),
});

/**
 * Asks for many tasks at once, 10,000 at most. Each is planned when its turn comes, has leases of its own, and ends by
 * itself. They are begun in the order given; `concurrency` (default 4) says how many may be unfinished at once. One that
 * fails stops no other, unless `stopAfter` says after how many failures no further one is begun. Needs the right to each.
 *
 * No batch, no preview and no other task that has children or stands for requests may be among them.
 *
 * The batch succeeds when all have ended, also those that failed; its value is the report. When it stops early
 * (HW_BATCH_STOPPED), is cancelled or runs out of time, it is `undone`, `error.data.report` is the same report, and what its
 * children did stays. A cancel of it stops those that run.
 * @throws HW_INPUT_INVALID, before any is begun, when one of them is no request or may not be in a batch
 */
export function batch(requests: readonly TaskRequest[], options: BatchOptions = {}): TaskRequest<ChildrenReport> {
  return batchOfTasks.request(requests, options);
}
