import { HostwrightError, type Change, type Declared, type ResourceType, type Target } from "@hostwright/core/plugin";
import { canonicalJson, coreResourceTypes } from "@hostwright/core/testing";

// oxlint-disable-next-line typescript/no-explicit-any -- each type has its own spec and state
export type AnyType = ResourceType<any, any>;

export interface Compared extends Change {
  readonly type: AnyType;
  readonly satisfied: boolean;
}

/** Declared things of some types on one target, worked on as the engine does. */
export class Work {
  readonly target: Target;
  readonly #types: readonly AnyType[];

  /** @param types those of the plugin; those of core are known. */
  constructor(target: Target, types: readonly AnyType[]) {
    this.target = target;
    this.#types = [...coreResourceTypes, ...types];
  }

  type(name: string): AnyType {
    const found = this.#types.find((type) => type.name === name);
    if (found === undefined) throw new Error(`the plugin declares a resource of type ${name}, but brings no such type`);
    return found;
  }

  /** Present beside desired, in the order in which they are made; one read a type. */
  async compare(declared: readonly Declared[]): Promise<readonly Compared[]> {
    const all: Compared[] = [];
    for (const { type, specs } of this.#inOrder(declared)) {
      const keys = specs.map((spec) => type.key(spec));
      const present = await type.read(this.target, keys, { contents: true });
      for (const [index, spec] of specs.entries()) {
        const key = keys[index] ?? "";
        const before: unknown = present.get(key) ?? null;
        const after: unknown = type.desired(spec, this.target.resolve);
        all.push({ type, key, before, after, satisfied: before !== null && isSatisfied(type, after, before) });
      }
    }
    return all;
  }

  /** Applies what differs, type by type, and sees that nothing is left to do. Gives the changes made. */
  async ensure(declared: readonly Declared[]): Promise<readonly Compared[]> {
    const made: Compared[] = [];
    for (const { type, specs } of this.#inOrder(declared)) {
      const differing = (await this.compare(specs.map((spec) => ({ type: type.name, spec })))).filter(
        (one) => !one.satisfied,
      );
      if (differing.length > 0) await type.apply(this.target, differing);
      made.push(...differing);
    }
    const left = (await this.compare(declared)).filter((one) => !one.satisfied);
    if (left.length > 0) throw new Error(`still to do after it was applied: ${left.map(({ key }) => key).join(", ")}`);
    return made;
  }

  /** The same changes with the sides swapped, last first. */
  async undo(made: readonly Compared[]): Promise<void> {
    for (const { type, key, before, after } of made.toReversed())
      await type.apply(this.target, [{ key, before: after, after: before }]);
  }

  /** Takes all of it away, whatever state it is in; gives the changes made. */
  async remove(declared: readonly Declared[]): Promise<readonly Compared[]> {
    const present = (await this.compare(declared)).filter(({ before }) => before !== null);
    for (const { type, key, before } of present.toReversed())
      await type.apply(this.target, [{ key, before, after: null }]);
    return present.toReversed().map((one) => ({ ...one, after: null }));
  }

  /** What is read of them, without regard to what is desired. */
  async states(declared: readonly Declared[]): Promise<string> {
    const all = await this.compare(declared);
    return canonicalJson(
      all.map(({ type, key, before }) => [type.name, key, before === null ? null : type.identity(before)]),
    );
  }

  #inOrder(declared: readonly Declared[]): readonly { readonly type: AnyType; readonly specs: readonly unknown[] }[] {
    const types = [...new Set(declared.map(({ type }) => type))].map((name) => this.type(name));
    return types
      .toSorted((a, b) => a.rank - b.rank)
      .map((type) => ({
        type,
        specs: declared
          .filter((one) => one.type === type.name)
          .map(({ spec }): unknown => parsed(type, spec))
          .toSorted((a, b) => compareText(orderOf(type, a), orderOf(type, b))),
      }));
  }
}

/** As a record is read: what the schema refuses goes no further. @throws HW_INPUT_INVALID */
function parsed(type: AnyType, spec: unknown): unknown {
  const result = type.schema.safeParse(spec);
  if (result.success) return result.data;
  throw new HostwrightError("HW_INPUT_INVALID", `The ${type.name} that was declared is refused by its own schema.`);
}

function isSatisfied(type: AnyType, desired: unknown, present: unknown): boolean {
  return (
    type.satisfies?.(desired, present) ??
    canonicalJson(type.identity(desired)) === canonicalJson(type.identity(present))
  );
}

const orderOf = (type: AnyType, spec: unknown): string => {
  const key = type.key(spec);
  return type.order?.(key) ?? key;
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
