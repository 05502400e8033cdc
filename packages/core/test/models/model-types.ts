import * as z from "zod";
import type { Operation, OperationContext } from "../../src/contracts/operation.ts";
import type { AnyResourceType, Change, ResourceType, Target } from "../../src/contracts/resource.ts";
import { HostwrightError } from "../../src/errors/hostwright-error.ts";
import { CHANGED, followed, ModelServer, type ModelState } from "./model-world.ts";

export interface ModelSpec {
  readonly key: string;
  readonly value: string;
}

/** Types as the real ones are: ranked, some removed by a clean-up only, one that takes up another's state. */
export const RANKS = { user: 10, folder: 30, file: 40, unit: 80 } as const;
export type TypeName = keyof typeof RANKS;

function serverOf({ server }: Target): ModelServer {
  if (server instanceof ModelServer) return server;
  throw new Error(`${server.name} is no model`);
}

async function change(target: Target, type: string, changes: readonly Change<ModelState>[]): Promise<void> {
  target.signal.throwIfAborted();
  const { exitCode, stdout } = await target.mutate({ script: "change", args: [type, JSON.stringify(changes)] });
  if (exitCode !== CHANGED) return;
  throw new HostwrightError("HW_RESOURCE_CHANGED", `${type} ${stdout.toString()} is not as it was`);
}

function modelType(name: TypeName): ResourceType<ModelSpec, ModelState> {
  return {
    name,
    schema: z.custom<ModelSpec>(),
    rank: RANKS[name],
    removal: name === "user" ? "clean-up" : "delete",
    key: ({ key }) => key,
    desired: ({ value }) => ({ value }),
    identity: ({ value }) => ({ value }),
    ...(name === "unit" && { refreshedBy: (key, other) => followed(`unit ${key}`) === `${other.type} ${other.key}` }),
    read: async (target, keys) => {
      const server = serverOf(target);
      const present = keys.map((key) => [key, server.read(`${name} ${key}`)] as const);
      return new Map(present.flatMap(([key, state]) => (state === undefined ? [] : [[key, state] as const])));
    },
    apply: async (target, changes) => change(target, name, changes),
    showSpec: ({ value }) => value,
    showState: ({ value }) => value,
  };
}

export const MODEL_TYPES: readonly AnyResourceType[] = (Object.keys(RANKS) as TypeName[]).map(modelType);

export interface OperationInput {
  readonly name: string;
  /** Nobody can tell what became of it when it stopped half way. */
  readonly unclear: boolean;
}

const HALVES = ["1", "2"] as const;

/** Something that happens in two halves, each of which leaves a thing; `wrong` takes note of one that is done again. */
export function modelOperation(wrong: string[]): Operation<OperationInput> {
  const half = (input: OperationInput, end: string): string => `${input.name}-${end}`;
  const standing = (target: Target, input: OperationInput): string[] =>
    HALVES.filter((end) => serverOf(target).read(`part ${half(input, end)}`) !== undefined);
  const set = async ({ target }: OperationContext, input: OperationInput, end: string, on: boolean): Promise<void> => {
    const [before, after] = on ? [null, { value: "done" }] : [{ value: "done" }, null];
    await change(target, "part", [{ key: half(input, end), before, after }]);
  };
  return {
    name: "work",
    version: 1,
    run: async (context, input) => {
      if (standing(context.target, input).length === HALVES.length) wrong.push(`${input.name} was done again`);
      for (const end of HALVES) await set(context, input, end, true);
    },
    probe: async ({ target }, input) => {
      const { length } = standing(target, input);
      if (length === 1 && input.unclear) return "unknown";
      return length === 0 ? "absent" : length === 1 ? "partial" : "done";
    },
    undo: async (context, input) => {
      for (const end of standing(context.target, input).toReversed()) await set(context, input, end, false);
    },
  };
}
