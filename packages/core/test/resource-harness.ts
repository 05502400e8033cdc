import type { Change, Declared, ResourceType, Target } from "../src/contracts/resource.ts";
import { canonicalJson } from "../src/model/canonical.ts";
import { coreResourceTypes } from "../src/resources/core-types.ts";

export type AnyType = ResourceType<unknown, unknown>;

export interface ResourceHarness<State> {
  /** What is needed now; contents included. */
  changesFor(declared: readonly Declared[]): Promise<Change<State>[]>;
  /** Reads, compares, applies, and sees that nothing is left to do. Resources of one type. */
  ensure(...declared: Declared[]): Promise<Change<State>[]>;
  undo(declared: Declared, changes: readonly Change<State>[]): Promise<void>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- as the engine does
function typeAmong(types: readonly ResourceType<any, any>[], declared: Declared): AnyType {
  const type = types.find((one) => one.name === declared.type);
  if (type === undefined) throw new Error(`no type ${declared.type}`);
  return type;
}

export function typeOf(declared: Declared): AnyType {
  return typeAmong(coreResourceTypes, declared);
}

export function swapped<State>(changes: readonly Change<State>[]): Change<State>[] {
  return changes.map(({ key, before, after }) => ({ key, before: after, after: before }));
}

/** What the engine does for resources of one type. */
export function resourceHarness<State = unknown>(
  target: () => Target,
  // oxlint-disable-next-line typescript/no-explicit-any -- as the engine does
  types: readonly ResourceType<any, any>[] = coreResourceTypes,
): ResourceHarness<State> {
  const typeOf = (declared: Declared): AnyType => typeAmong(types, declared);
  const changesFor = async (declared: readonly Declared[]): Promise<Change<State>[]> => {
    const [first] = declared;
    if (first === undefined) return [];
    const type = typeOf(first) as ResourceType<unknown, State>;
    const keys = declared.map((one) => type.key(one.spec));
    const present = await type.read(target(), keys, { contents: true });
    return declared.flatMap((one) => {
      const key = type.key(one.spec);
      const before = present.get(key) ?? null;
      const after = type.desired(one.spec, target().resolve);
      const identity = (state: State): string => canonicalJson(type.identity(state));
      const fits = before !== null && (type.satisfies?.(after, before) ?? identity(after) === identity(before));
      return fits ? [] : [{ key, before, after }];
    });
  };
  return {
    changesFor,
    async ensure(...declared) {
      const changes = await changesFor(declared);
      const [first] = declared;
      if (first !== undefined) await typeOf(first).apply(target(), changes);
      const left = await changesFor(declared);
      if (left.length > 0)
        throw new Error(`still to do after it was applied: ${left.map((one) => one.key).join(", ")}`);
      return changes;
    },
    undo: async (declared, changes) => typeOf(declared).apply(target(), swapped(changes)),
  };
}
