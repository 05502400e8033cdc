import type { SecretStore } from "../../src/contracts/store.ts";
import type { Tables } from "./tables.ts";

export function memorySecrets({ secrets }: Tables): SecretStore {
  return {
    get: async (ids) => new Map([...secrets].filter(([id]) => ids.includes(id))),
    add: async (id, sealed) => {
      if (!secrets.has(id)) secrets.set(id, sealed);
      return secrets.get(id) ?? sealed;
    },
    replace: async (id, sealed) => void secrets.set(id, sealed),
    list: async (prefix, { after = "", limit }) =>
      [...secrets]
        .filter(([id]) => id.startsWith(prefix) && id > after)
        .map(([id, sealed]) => ({ id, sealed }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    removePrefix: async (prefix) => {
      for (const id of secrets.keys()) if (id.startsWith(prefix)) secrets.delete(id);
    },
  };
}
