import type { Server } from "../../contracts/server.ts";
import type { ConnectRecord, ServerRecord } from "../../model/records.ts";
import type { Secret } from "../../model/secret.ts";

/** Opens a server by its record; the application may replace it (a server made on demand, a fake). */
export type OpenServer = (record: ServerRecord, privateKey: () => Promise<Secret>) => Promise<Server>;

/** One open server per record and connection data, shared by everything in this instance. */
export class ServerPool {
  readonly #open: OpenServer;
  readonly #privateKey: (serverId: string) => Promise<Secret>;
  readonly #servers = new Map<string, { connect: ConnectRecord; server: Promise<Server> }>();

  constructor(open: OpenServer, privateKey: (serverId: string) => Promise<Secret>) {
    this.#open = open;
    this.#privateKey = privateKey;
  }

  async get(record: ServerRecord): Promise<Server> {
    const known = this.#servers.get(record.id);
    if (known !== undefined && sameConnect(known.connect, record.connect)) return known.server;
    const server = this.#open(record, () => this.#privateKey(record.id));
    this.#servers.set(record.id, { connect: record.connect, server });
    if (known !== undefined) await (await known.server).close();
    return server;
  }

  /** The open server of that record id, if there is one: for counts. */
  async opened(): Promise<readonly Server[]> {
    return Promise.all([...this.#servers.values()].map((entry) => entry.server));
  }

  /** Forgets and closes a server, because its record or its key changed. */
  async forget(serverId: string): Promise<void> {
    const known = this.#servers.get(serverId);
    this.#servers.delete(serverId);
    if (known !== undefined) await (await known.server).close();
  }

  async close(): Promise<void> {
    const servers = await this.opened();
    this.#servers.clear();
    await Promise.all(servers.map(async (server) => server.close()));
  }
}

function sameConnect(a: ConnectRecord, b: ConnectRecord): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
