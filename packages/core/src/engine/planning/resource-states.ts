import type { Target } from "../../contracts/resource.ts";
import type { Registry } from "../plugins/registry.ts";

export interface ResourceAddress {
  readonly type: string;
  readonly key: string;
}

export type States = ReadonlyMap<string, unknown>;

export function addressKey(type: string, key: string): string {
  return `${type}\n${key}`;
}

/** Reads present states: one bulk read per type, all types side by side (decisions.md section 4 of the design). */
export async function readStates(
  registry: Registry,
  target: Target,
  addresses: readonly ResourceAddress[],
  options: { readonly contents: boolean },
): Promise<States> {
  const byType = Map.groupBy(addresses, (address) => address.type);
  const states = new Map<string, unknown>();
  await Promise.all(
    [...byType].map(async ([type, list]) => {
      const keys = [...new Set(list.map((address) => address.key))];
      for (const [key, state] of await registry.resourceType(type).read(target, keys, options)) {
        states.set(addressKey(type, key), state);
      }
    }),
  );
  return states;
}

/** In the order in which resources are made; removals run through it backwards. */
export function inOrder<T extends ResourceAddress>(registry: Registry, resources: readonly T[]): readonly T[] {
  const places = resources.map((resource) => {
    const { rank, order } = registry.resourceType(resource.type);
    return { resource, rank, type: resource.type, order: order === undefined ? resource.key : order(resource.key) };
  });
  places.sort((a, b) => a.rank - b.rank || compare(a.type, b.type) || compare(a.order, b.order));
  return places.map(({ resource }) => resource);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
