import { canonicalJson } from "../../model/canonical.ts";
import type { AnyResourceType } from "../../contracts/resource.ts";
import type { Registry } from "../plugins/registry.ts";
import { addressKey, type ResourceAddress } from "./resource-states.ts";
import type { Owned } from "../../contracts/steps.ts";
import type { Resolve } from "../../model/text.ts";

/** A declared resource made ready for comparing: its spec is parsed, and its state resolved once. */
export interface Wanted extends ResourceAddress {
  readonly id: string;
  readonly owner: string;
  readonly shared: boolean;
  readonly spec: unknown;
  readonly resourceType: AnyResourceType;
  /** In memory only: it may hold secrets. */
  readonly desired: unknown;
  readonly identity: string;
}

export function wantedOf(registry: Registry, item: Owned, resolve: Resolve): Wanted {
  const resourceType = registry.resourceType(item.type);
  const key = resourceType.key(item.spec);
  const desired: unknown = resourceType.desired(item.spec, resolve);
  return {
    type: item.type,
    key,
    id: addressKey(item.type, key),
    owner: item.owner,
    shared: item.shared === true,
    spec: item.spec,
    resourceType,
    desired,
    identity: canonicalJson(resourceType.identity(desired)),
  };
}

export function isSatisfied(type: AnyResourceType, desired: unknown, identity: string, state: unknown): boolean {
  if (state === undefined || state === null) return false;
  if (type.satisfies !== undefined) return type.satisfies(desired, state);
  return identity === canonicalJson(type.identity(state));
}

/** Keyed hash of a state: what plans, journal and register hold instead of it (decisions.md D11). */
export function stateHash(type: AnyResourceType, state: unknown, fingerprint: (text: string) => string): string {
  return fingerprint(`${type.name}\n${canonicalJson(type.identity(state))}`);
}
