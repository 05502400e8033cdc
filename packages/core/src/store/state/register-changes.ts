import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { RegisterChanges, RegisteredResource, ResourceHold } from "../../contracts/store.ts";
import type { ReadRows, Rows } from "../../contracts/store/tables.ts";
import { mapMany } from "../../model/breathe.ts";
import { REGISTER, type RegisterRow } from "../tables/register.ts";

type Hold = Pick<RegisterRow, "owner" | "shared">;

export async function registeredOn(rows: ReadRows, server: string): Promise<readonly RegisteredResource[]> {
  return (await rows.list(REGISTER, { of: [{ server }] })).map(parseResource);
}

export async function serversIn(rows: ReadRows): Promise<readonly string[]> {
  return (await rows.list(REGISTER, { each: "server", columns: ["server"] })).map(({ server }) => server);
}

/** Removals come first. */
export async function changeRegister(rows: Rows, { put, remove }: RegisterChanges): Promise<void> {
  await rows.remove(REGISTER, remove);
  const holds = await holdsAt(rows, put);
  await mapMany(put, (resource) => {
    const own = { owner: resource.owner, shared: Number(resource.shared) };
    const others = (holds.get(addressOf(resource)) ?? []).filter(({ owner }) => owner !== own.owner);
    const holder = others.find(({ shared }) => shared === 0 || own.shared === 0);
    if (holder !== undefined) throw conflict(resource, holder.owner);
    holds.set(addressOf(resource), [...others, own]);
  });
  await rows.put(REGISTER, put.map(rowOf));
}

export function parseResource(row: RegisterRow): RegisteredResource {
  return { ...row, shared: row.shared === 1 };
}

function rowOf({ server, type, key, owner, shared, hash }: RegisteredResource): RegisterRow {
  return { server, type, key, owner, shared: Number(shared), hash };
}

async function holdsAt(rows: ReadRows, resources: readonly ResourceHold[]): Promise<Map<string, readonly Hold[]>> {
  const of = resources.map(({ server, type, key }) => ({ server, type, key }));
  const holds: readonly RegisterRow[] = await rows.list(REGISTER, { of });
  return Map.groupBy(holds, addressOf);
}

function addressOf({ server, type, key }: Omit<ResourceHold, "owner">): string {
  return JSON.stringify([server, type, key]);
}

function conflict({ server, type, key, owner }: ResourceHold, holder: string): HostwrightError {
  return new HostwrightError(
    "HW_RESOURCE_CONFLICT",
    `${owner} declares the ${type} ${key} on server ${server}, which ${holder} holds. Nothing was registered.`,
    { server, data: { type, key, owner, holder } },
  );
}
