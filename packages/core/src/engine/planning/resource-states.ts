import type { Target } from "../../contracts/resource.ts";
import type { AnyResourceType, Registry } from "../plugins/registry.ts";

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

/** Order in which resources are made; removals run through it backwards. */
export function compareResources(registry: Registry, a: ResourceAddress, b: ResourceAddress): number {
  const typeA = registry.resourceType(a.type);
  const typeB = registry.resourceType(b.type);
  if (typeA.rank !== typeB.rank) return typeA.rank - typeB.rank;
  if (a.type !== b.type) return a.type < b.type ? -1 : 1;
  const orderA = orderOf(typeA, a.key);
  const orderB = orderOf(typeB, b.key);
  return orderA < orderB ? -1 : orderA > orderB ? 1 : 0;
}

function orderOf(type: AnyResourceType, key: string): string {
  return type.order === undefined ? key : type.order(key);
}
