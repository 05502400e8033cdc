import type { RecordReference, RegisteredResource, StateStore, TaskState } from "../contracts/store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { ServerPool } from "../engine/sessions/server-pool.ts";
import { namesOf } from "../model/names-of.ts";
import { membersOf, type PlatformRecord, type ServerRecord, type SiteRecord } from "../model/records.ts";
import { KEPT } from "./record-access.ts";

/** A record that is gone, and what was left on its server, as it was. */
export interface Removed {
  readonly id: string;
  readonly name: string;
  /** What Hostwright made there, by resource type and key; it is nobody's from now on. */
  readonly left: readonly Pick<RegisteredResource, "type" | "key">[];
}

const ENDED: readonly (TaskState | null)[] = ["succeeded", "undone", null];

/**
 * Records that nothing needs any more go at once. No server is touched (decisions.md D38). Says what is in the way; the store
 * looks again in the transaction that removes the record, at the version given here.
 */
export class Removing {
  readonly #store: StateStore;
  readonly #pool: ServerPool;

  constructor(store: StateStore, pool: ServerPool) {
    this.#store = store;
    this.#pool = pool;
  }

  async server({ id, name }: ServerRecord, version: number): Promise<Removed> {
    const { records } = this.#store;
    const clusters = (await this.#all<ServerRecord>("server")).filter((server) => membersOf(server)?.includes(id));
    refuseUsed(`Server ${name}`, "is a member of", clusters, "Put each cluster without it: hw.servers.put().");
    const platforms = (await this.#all<PlatformRecord>("platform")).filter(({ server }) => server === id);
    refuseUsed(
      `Server ${name}`,
      "has platforms",
      platforms,
      "Remove them first: hw.platforms.remove(), deletePlatform().",
    );
    const sites = await this.#sites("server", id);
    refuseUsed(`Server ${name}`, "keeps something of", sites, "Delete these sites, or move their databases.");
    await this.#refuseBusy(`Server ${name}`, `server/${id}`);
    const left = await records.forget("server", id, version);
    this.#pool.forget(id);
    return { id, name, left: left.map(addressOf) };
  }

  async platform({ id, name, server, release }: PlatformRecord, version: number): Promise<Removed> {
    const { records, register } = this.#store;
    const sites = await this.#sites("platform", id);
    refuseUsed(`Platform ${name}`, "has sites", sites, `Delete them, then run deletePlatform("${name}").`);
    const owner = `platform/${id}`;
    await this.#refuseBusy(`Platform ${name}`, owner);
    const place = (await records.get("server", server))?.value as ServerRecord | undefined;
    const placements = (place === undefined ? null : membersOf(place)) ?? [server];
    const held = await Promise.all(placements.map(async (one) => register.about(one, [owner], [])));
    if (release !== null || held.flat().some((row) => row.owner === owner))
      throw inUse(`Platform ${name} is published`, `Run deletePlatform("${name}"), which removes its release too.`);
    await records.forget("platform", id, version);
    return { id, name, left: [] };
  }

  /** What never became a site: nobody works on it, and nothing stands anywhere. `task` is a draft's. */
  async site({ id, domain, status }: SiteRecord, task: string, version: number): Promise<Removed> {
    const { records, register, tasks } = this.#store;
    const remedy = `Run deleteSite("${domain}"), which removes what it has on servers too.`;
    if (status === "installed" || status === "deleting") throw inUse(`Site ${domain} is ${status}`, remedy);
    await this.#refuseBusy(`Site ${domain}`, `site/${id}`);
    if (status === "draft" && !ENDED.includes(await tasks.state(task)))
      throw inUse(`Task ${task} is to make the site ${domain}`, "Cancel or resolve that task.");
    const owner = `site/${id}`;
    for (const server of await this.#all<ServerRecord>("server")) {
      const rows = (await register.about(server.id, [owner], [])).filter((row) => row.owner === owner);
      if (rows.length > 0)
        throw inUse(
          `Site ${domain} has ${namesOf(rows.map(({ type, key }) => `${type} ${key}`))} on ${server.name}`,
          remedy,
        );
    }
    await records.forget("site", id, version);
    return { id, name: domain, left: [] };
  }

  async #sites(by: RecordReference, id: string): Promise<readonly SiteRecord[]> {
    const found = await this.#store.records.referring("site", { by, ids: [id], status: KEPT });
    return found.map(({ value }) => value as SiteRecord);
  }

  async #all<T>(kind: "server" | "platform"): Promise<readonly T[]> {
    return (await this.#store.records.list(kind)).map((row) => row.value as T);
  }

  async #refuseBusy(what: string, scope: string): Promise<void> {
    const lease = (await this.#store.leases.list()).find((one) => one.scope === scope);
    if (lease !== undefined)
      throw inUse(`${what} is used by the task ${lease.task}`, "Wait until it has ended, cancel it, or resolve it.");
  }
}

function refuseUsed(
  what: string,
  has: string,
  users: readonly { readonly name?: string; readonly domain?: string }[],
  remedy: string,
): void {
  if (users.length === 0) return;
  throw inUse(`${what} ${has}: ${namesOf(users.map(({ name, domain }) => name ?? domain ?? ""))}`, remedy);
}

function inUse(message: string, remedy: string): HostwrightError {
  return new HostwrightError("HW_RECORD_IN_USE", `${message}. Nothing was changed.`, { remedy });
}

function addressOf({ type, key }: RegisteredResource): Removed["left"][number] {
  return { type, key };
}
