import type { RegisteredResource, RegisterStore, ResourceHold } from "../../src/contracts/store.ts";
import { HostwrightError } from "../../src/errors/hostwright-error.ts";
import { atomically, keyOf, type Tables } from "./tables.ts";

export function memoryRegister(tables: Tables): RegisterStore {
  const onServer = (server: string): readonly RegisteredResource[] =>
    [...tables.register.values()]
      .filter((row) => row.server === server)
      .toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
  return {
    servers: async () => [...new Set([...tables.register.values()].map(({ server }) => server))].toSorted(),
    onServer: async (server) => onServer(server),
    orphans: async (server) =>
      [...new Set(onServer(server).map(({ owner }) => owner))].filter(
        (owner) => !tables.records.has(keyOf(...owner.split("/"))),
      ),
    about: async (server, owners, addresses) => {
      const rows = onServer(server);
      const asked = new Set(addresses.map(({ type, key }) => keyOf(type, key)));
      for (const { type, key, owner } of rows) if (owners.includes(owner)) asked.add(keyOf(type, key));
      return rows.filter(({ type, key }) => asked.has(keyOf(type, key)));
    },
    put: async (resources) => atomically(tables, () => putResources(tables, resources)),
    remove: async (resources) => removeResources(tables, resources),
  };
}

export function putResources(tables: Tables, resources: readonly RegisteredResource[]): void {
  for (const { server, type, key, owner, shared, hash } of resources) {
    for (const other of tables.register.values()) {
      const same = other.server === server && other.type === type && other.key === key && other.owner !== owner;
      if (!same || (other.shared && shared)) continue;
      throw new HostwrightError("HW_RESOURCE_CONFLICT", `${other.owner} holds the ${type} ${key}.`, { server });
    }
    tables.register.set(keyOf(server, type, key, owner), { server, type, key, owner, shared, hash });
  }
}

export function removeResources(tables: Tables, resources: readonly ResourceHold[]): void {
  for (const { server, type, key, owner } of resources) tables.register.delete(keyOf(server, type, key, owner));
}

function order({ type, key, owner }: RegisteredResource): string {
  return keyOf(type, key, owner);
}
