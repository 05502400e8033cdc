import type { ResourceFilter, Selector } from "../../contracts/steps.ts";
import type { ResourceHold } from "../../contracts/store.ts";
import type { Registry } from "../plugins/registry.ts";

type Test = (row: ResourceHold) => boolean;

/** Is a registered resource chosen by one of the selectors? */
export function selection(registry: Registry, selectors: readonly Selector[] = []): Test {
  const tests = selectors.map(({ owners, except = [], ...filter }) => {
    const whose = new Set(owners);
    const [fits, exceptions] = [fitting(registry, filter), except.map((one) => fitting(registry, one))];
    return (row: ResourceHold) => whose.has(row.owner) && fits(row) && !exceptions.some((test) => test(row));
  });
  return (row) => tests.some((test) => test(row));
}

function fitting(registry: Registry, { types, keys, below, removal }: ResourceFilter): Test {
  const [someTypes, someKeys] = [types, keys].map((list) => (list === undefined ? null : new Set(list)));
  const folder = below === undefined || below.endsWith("/") ? (below ?? "") : `${below}/`;
  return ({ type, key }) =>
    (someTypes?.has(type) ?? true) &&
    (someKeys?.has(key) ?? true) &&
    key.startsWith(folder) &&
    (removal === undefined || registry.findResourceType(type)?.removal === removal);
}
