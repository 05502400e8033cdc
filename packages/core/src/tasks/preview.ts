import * as z from "zod";
import { renderPlan } from "../engine/planning/render-plan.ts";
import { makeStoredPlan } from "../engine/workers/stored-plans.ts";
import { titleOf, type EngineParts, type TaskRequest } from "../engine/planning/task-engine.ts";
import { NOTHING, type TaskType } from "../engine/planning/task-type.ts";

export interface PreviewRequest {
  readonly type: "plan:make";
  /** What is to be planned. */
  readonly request: TaskRequest;
}

/** What `preview` gives back: all that a person needs to read and approve a plan. Holds references, never secrets. */
export interface PreviewValue {
  /** With `hash` what is submitted to run it. */
  readonly plan: string;
  readonly hash: string;
  readonly title: string;
  /** Every action with its diff. */
  readonly text: string;
  /** True when everything stands as wanted. */
  readonly empty: boolean;
  /** ISO 8601, UTC; 24 hours later. */
  readonly expiresAt: string;
}

const TYPE = "plan:make";
// The right to a request is asked for one level deep.
const planned = z.string().refine((type) => type !== TYPE, "a preview of a preview is none");
const Request = z.strictObject({ type: z.literal(TYPE), request: z.looseObject({ type: planned }) });

/**
 * Asks a worker for the plan of a request, to be read by somebody who cannot plan: `role: "submit"`. Nothing is changed.
 * The value is a `PreviewValue`; `submit({ plan, hash })` approves it. Needs the right to the request itself.
 * @throws what `plan` throws, when it is worked
 */
export function preview(request: TaskRequest): PreviewRequest {
  return { type: TYPE, request };
}

export function makePlan(parts: () => EngineParts): TaskType<PreviewRequest> {
  return {
    type: TYPE,
    schema: Request,
    title: ({ request }) => `plan: ${titleOf(parts(), request)}`,
    async plan({ session }, { request }) {
      const plan = await makeStoredPlan(parts(), request, session.signal);
      const { id, title, expiresAt, actions } = plan;
      const value = { plan: id, hash: plan.hash, title, expiresAt, empty: actions.length === 0 };
      return {
        ...NOTHING,
        title: `plan: ${title}`,
        leases: [],
        steps: [],
        value: { ...value, text: renderPlan(plan) },
      };
    },
  };
}
