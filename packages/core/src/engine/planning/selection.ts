import type { ResourceFilter, Selector } from "../../contracts/steps.ts";
import type { ResourceHold } from "../../contracts/store.ts";

/** Is a registered resource chosen by one of the selectors? */
export function selection(selectors: readonly Selector[] = []): (row: ResourceHold) => boolean {
  const tests = selectors.map(({ owners, except = [], ...filter }) => {
    const whose = new Set(owners);
    const [fits, exceptions] = [fitting(filter), except.map(fitting)];
    return (row: ResourceHold): boolean => whose.has(row.owner) && fits(row) && !exceptions.some((test) => test(row));
  });
  return (row) => tests.some((test) => test(row));
}

function fitting({ types, keys, below }: ResourceFilter): (row: Pick<ResourceHold, "type" | "key">) => boolean {
  const [someTypes, someKeys] = [types, keys].map((list) => (list === undefined ? null : new Set(list)));
  const folder = below === undefined || below.endsWith("/") ? (below ?? "") : `${below}/`;
  return ({ type, key }) => (someTypes?.has(type) ?? true) && (someKeys?.has(key) ?? true) && key.startsWith(folder);
}
