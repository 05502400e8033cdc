import * as z from "zod";
import type { RunStep } from "../contracts/steps.ts";
import type { Claim } from "../contracts/facts.ts";
import type { TakeServerInput } from "../contracts/operation-inputs.ts";
import type { TaskDraft, TaskRequest, TaskType } from "../contracts/task.ts";
import { defineTask } from "../plugin-kit/define-task.ts";
import type { Planning } from "../contracts/planning.ts";
import type { ServerRecord } from "../model/records.ts";
import { Name, type ServerInput } from "./inputs.ts";
import { ofServer } from "./server-steps.ts";

/** What a take-over comes to. */
export interface TakeOverValue {
  readonly server: string;
  /** Whose it was; null: this installation's already, or nobody's. */
  readonly former: Claim | null;
}

const Value: z.ZodType<TakeOverValue> = z.strictObject({
  server: z.string(),
  former: z.strictObject({ installation: z.string(), home: z.string(), since: z.string() }).nullable(),
});

export const takeServerOver: TaskType<[server: string], ServerInput, TakeOverValue> = defineTask({
  type: "server:take-over",
  version: 1,
  input: z.strictObject({ server: Name }),
  value: Value,
  request: (server: string) => ({ server }),
  title: ({ server }) => `take ${server} over`,
  subject: ({ server }) => ({ server }),
  async plan(context: Planning, request) {
    const server = context.inventory.server(request.server);
    const { holder: former, own } = await context.claimOf(server);
    const draft = (steps: readonly RunStep[], was: Claim | null): TaskDraft<TakeOverValue> => ({
      title: `take ${server.name} over`,
      about: [`server/${server.id}`],
      steps,
      ...ofServer(context, server),
      value: { server: server.name, former: was },
    });
    if (former === null || former.installation === own.installation) return draft([], null);
    return draft([passStep(server, { former, next: own })], former);
  },
});

/**
 * Asks for a server that another installation has (another state folder, or one that is gone). From then on this installation
 * alone may change it. Nothing else there changes: sites of the former one go on being served, and verify
 * lists what this installation does not know. The value is a `TakeOverValue`. Where the server is this installation's or
 * nobody's, the plan is empty. @throws HW_NOT_FOUND when planned; HW_RESOURCE_CHANGED when the former one is at work there
 */
export function takeOver(server: string): TaskRequest<TakeOverValue> {
  return takeServerOver.request(server);
}

function passStep(server: ServerRecord, input: TakeServerInput): RunStep {
  const { installation, home, since } = input.former;
  return {
    kind: "run",
    title: `take ${server.name} from ${installation}, at ${home}, which has it since ${since}`,
    server,
    phase: "prepare",
    operation: "take-server",
    input,
    when: "always",
  };
}
