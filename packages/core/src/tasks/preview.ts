import * as z from "zod";
import type { AnyTaskType, PlainRequest, TaskRequest } from "../contracts/task.ts";
import type { PlanningContext } from "../engine/planning/task-type.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import { isEmpty, renderPlan } from "../engine/planning/render-plan.ts";
import type { EngineParts } from "../engine/planning/task-engine.ts";
import { titleOf } from "../engine/planning/parse-request.ts";
import { makeStoredPlan } from "../engine/workers/stored-plans.ts";

/** What `preview` gives back: all that a person needs to read and approve a plan. Holds references, never secrets. */
export interface PreviewValue {
  /** With `hash` what is submitted to run it. */
  readonly plan: string;
  readonly hash: string;
  readonly title: string;
  /** Every action with its diff, and every child by its title. */
  readonly text: string;
  /** True when everything stands as wanted. */
  readonly empty: boolean;
  /** ISO 8601, UTC; 24 hours later. */
  readonly expiresAt: string;
}

/** Of a request that stands for another one: whose rights are asked for is that one. */
export const PREVIEW = "plan:make";
// The right to a request is asked for one level deep.
const planned = z.string().refine((type) => type !== PREVIEW, "a preview of a preview is none");
const Input = z.strictObject({ request: z.looseObject({ type: planned }) });
const Value: z.ZodType<PreviewValue> = z.strictObject({
  plan: z.string(),
  hash: z.string(),
  title: z.string(),
  text: z.string(),
  empty: z.boolean(),
  expiresAt: z.iso.datetime(),
});

export function makePlan(parts: () => EngineParts): AnyTaskType {
  return defineTask({
    type: PREVIEW,
    version: 1,
    input: Input,
    value: Value,
    request: (request: PlainRequest) => ({ request: { ...request } }),
    title: ({ request }) => `plan: ${titleOf(parts(), request)}`,
    subject: () => ({}),
    standsFor: ({ request }) => [request],
    async plan({ session, store, vault }: PlanningContext, { request }) {
      const plan = await makeStoredPlan({ ...parts(), store, vault }, request, session.signal);
      const { id, title, expiresAt } = plan;
      const value = { plan: id, hash: plan.hash, title, expiresAt, empty: isEmpty(plan) };
      return {
        title: `plan: ${title}`,
        about: [],
        steps: [],
        value: { ...value, text: renderPlan(plan) },
      };
    },
  });
}

/**
 * Asks a worker for the plan of a request, to be read by somebody who cannot plan: `role: "submit"`. Nothing is changed.
 * The value is a `PreviewValue`; `submit({ plan, hash })` approves it. Needs the right to the request itself.
 * @throws what `plan` throws, when it is worked
 */
export function preview(request: TaskRequest): TaskRequest<PreviewValue> {
  return { type: PREVIEW, request } as unknown as TaskRequest<PreviewValue>;
}
