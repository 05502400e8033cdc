import * as z from "zod";
import type { PlainRequest, TaskRequest, TaskType } from "../contracts/task.ts";
import type { PreviewValue } from "../contracts/planning.ts";
import { defineTask } from "../plugin-kit/define-task.ts";

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

type Asked = { readonly request: PlainRequest };

export const planPreview: TaskType<[request: PlainRequest], Asked, PreviewValue> = defineTask({
  type: PREVIEW,
  version: 1,
  input: Input,
  value: Value,
  request: (request: PlainRequest) => ({ request: { ...request } }),
  title: ({ request }, titleOf) => `plan: ${titleOf(request)}`,
  subject: () => ({}),
  standsFor: ({ request }) => [request],
  async plan(context, { request }) {
    const value = await context.preview(request);
    return { title: `plan: ${value.title}`, about: [], steps: [], value };
  },
});

/**
 * Asks a worker for the plan of a request, to be read by somebody who cannot plan: `role: "submit"`. Nothing is changed.
 * The value is a `PreviewValue`; `submit({ plan, hash })` approves it. Needs the right to the request itself.
 * @throws what `plan` throws, when it is worked
 */
export function preview(request: TaskRequest): TaskRequest<PreviewValue> {
  return planPreview.request(request);
}
