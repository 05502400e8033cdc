import type { SecretStore } from "../../src/contracts/store.ts";
import { requireVersion } from "./records.ts";
import type { Tables } from "./tables.ts";

export function memorySecrets(tables: Tables): SecretStore {
  const { secrets } = tables;
  return {
    get: async (ids) => new Map([...secrets].filter(([id]) => ids.includes(id))),
    add: async (id, sealed) => {
      if (!secrets.has(id)) secrets.set(id, sealed);
      return secrets.get(id) ?? sealed;
    },
    replace: async (id, sealed, of) => {
      if (of !== undefined) requireVersion(tables, of, of.version);
      secrets.set(id, sealed);
    },
    orphans: async (limit) => {
      const owners = new Set([...secrets.keys()].map((id) => id.split("/").slice(0, 2).join("/")));
      const held = new Set([...tables.leases.values()].map(({ scope }) => scope));
      const isThere = (owner: string): boolean => tables.records.has(owner.replace("/", "\n"));
      return [...owners]
        .filter((owner) => /^(?:server|platform|site)\//.test(owner) && !isThere(owner) && !held.has(owner))
        .toSorted()
        .slice(0, limit);
    },
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
