import type { PlatformRecord, ServerRecord, SiteRecord } from "@hostwright/core/plugin";
import type { RecordChange, RegisteredResource, StateStore } from "../../packages/core/src/contracts/store.ts";
import { newId } from "../../packages/core/src/model/ids.ts";
import { newHolder } from "../../packages/core/src/store/holder.ts";

/** What an installation of many years has. */
export interface Estate {
  readonly servers: number;
  readonly sites: number;
  /** Rows of the register for each site. */
  readonly resources: number;
  readonly tasks: number;
  readonly events: number;
}

const AT_ONCE = 1_000;
const AT = "2026-01-01T00:00:00.000Z";
const EVENTS = ["task:submitted", "task:started", "action:started", "action:finished", "task:finished"];

/** Fills a store with an estate like a site that is there already, through the same calls that tasks make. */
export async function fillStore(store: StateStore, like: string, estate: Estate): Promise<void> {
  const site = (await store.records.get("site", like))?.value as SiteRecord;
  const platform = (await store.records.get("platform", site.platform))?.value as PlatformRecord;
  const server = (await store.records.get("server", platform.server))?.value as ServerRecord;
  const places = Array.from({ length: estate.servers - 1 }, () => place(server, platform));
  await committed(
    store,
    places.flatMap(({ records }) => records),
    [],
  );
  for (let from = 0; from < estate.sites; from += AT_ONCE) {
    const count = Math.min(AT_ONCE, estate.sites - from);
    const made = Array.from({ length: count }, (_, index) =>
      siteLike(site, places[(from + index) % places.length], from + index),
    );
    const rows = made.flatMap((one) => resourcesOf(one, estate.resources));
    await committed(
      store,
      made.map(({ record }) => record),
      rows,
    );
  }
  await fillTasks(store, estate);
  await fillEvents(store, estate);
}

interface Place {
  readonly server: string;
  readonly platform: string;
  readonly records: readonly RecordChange[];
}

function place(server: ServerRecord, platform: PlatformRecord): Place {
  const [serverId, platformId] = [newId("w"), newId("p")];
  const record = (kind: "server" | "platform", id: string, value: object): RecordChange => {
    return { kind, id, name: id, value: { ...value, id, name: id }, expect: 0, claims: [] };
  };
  return {
    server: serverId,
    platform: platformId,
    records: [record("server", serverId, server), record("platform", platformId, { ...platform, server: serverId })],
  };
}

interface Made {
  readonly record: RecordChange;
  readonly server: string;
}

function siteLike(site: SiteRecord, at: Place | undefined, number: number): Made {
  if (at === undefined) throw new Error("an estate has more than one server");
  const id = newId("s");
  const domain = `scale-${number}.example.org`;
  const bindings = {
    ...site.bindings,
    ...(site.bindings["db"] && { db: { ...site.bindings["db"], server: at.server } }),
  };
  const value: SiteRecord = {
    ...site,
    id,
    domain,
    aliases: [`www.${domain}`],
    platform: at.platform,
    uid: number + 200_000,
    bindings,
  };
  return { server: at.server, record: { kind: "site", id, name: domain, value, expect: 0, claims: value.aliases } };
}

function resourcesOf({ record, server }: Made, count: number): readonly RegisteredResource[] {
  const owner = `site/${record.id}`;
  return Array.from({ length: count }, (_, index) => ({
    server,
    type: "file",
    key: `/srv/sites/${record.id}/${index}`,
    owner,
    shared: false,
    hash: `${owner}-${index}`,
  }));
}

/** In one transaction, as the commit of a task. */
async function committed(
  store: StateStore,
  put: readonly RecordChange[],
  rows: readonly RegisteredResource[],
): Promise<void> {
  const id = newId("t");
  await submitted(store, id);
  await store.leases.claim(id, newHolder());
  await store.journal.commit(id, AT, { put, deleteRecords: [], register: { put: rows, remove: [] } });
  await ended(store, id);
  await store.leases.release(id);
}

async function fillTasks(store: StateStore, { tasks }: Estate): Promise<void> {
  for (let number = 0; number < tasks; number += 1) {
    const id = newId("t");
    await submitted(store, id, `scale-${number}.example.org`);
    await ended(store, id);
  }
}

async function submitted(store: StateStore, id: string, site = "scale"): Promise<void> {
  const request = { type: "site:verify", site };
  const common = { plan: null, actor: "system", key: null, timeoutMs: null, createdAt: AT };
  await store.tasks.submit({ id, type: "site:verify", request, ...common });
}

async function ended(store: StateStore, id: string): Promise<void> {
  const outcome = { state: "succeeded", value: {}, error: null, residue: [] };
  const gone = { deleteRecords: [], discards: [], eraseSecrets: [] };
  await store.tasks.end(id, ["queued", "running"], { state: "succeeded", outcome, finishedAt: AT, ...gone });
}

async function fillEvents(store: StateStore, { events }: Estate): Promise<void> {
  for (let from = 0; from < events; from += AT_ONCE) {
    const list = Array.from({ length: Math.min(AT_ONCE, events - from) }, (_, index) => ({
      at: AT,
      task: `t${Math.floor((from + index) / EVENTS.length)}`,
      type: EVENTS[index % EVENTS.length] ?? "task:log",
      payload: { action: index, of: 20, server: "web1", title: "files of scale.example.org" },
    }));
    await store.events.append(list);
  }
}
