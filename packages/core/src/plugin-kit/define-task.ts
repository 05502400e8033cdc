import type * as z from "zod";
import type { Planning } from "../contracts/planning.ts";
import type { TaskDescription, TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";

interface Definition<Args extends readonly unknown[], Input extends z.ZodType, Value> extends Omit<
  TaskDescription<z.output<Input>, Value>,
  "input"
> {
  readonly input: Input;
  /** The input from the arguments that a caller gives. */
  request(...args: Args): z.input<Input>;
  plan(context: Planning, input: z.output<Input>): Promise<TaskDraft<NoInfer<Value>>>;
}

/**
 * Makes a kind of task of what it takes, what it gives and how it is planned. Whoever loads the plugin that lists it among
 * its `tasks` runs `request(...)`.
 */
export function defineTask<Args extends readonly unknown[], Input extends z.ZodType, Value>(
  definition: Definition<Args, Input, Value>,
): TaskType<Args, z.output<Input>, Value> {
  const { type, version, request } = definition;
  const versioned = version === 1 ? { type } : { type, version };
  return {
    ...definition,
    request: (...args) => ({ ...(request(...args) as object), ...versioned }) as TaskRequest<Value>,
  } as TaskType<Args, z.output<Input>, Value>;
}
