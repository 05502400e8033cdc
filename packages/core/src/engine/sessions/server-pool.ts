import type { Server } from "../../model/server.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { isApi, membersOf, type ServerRecord } from "../../model/records.ts";
import type { Secret } from "../../model/secret.ts";
import { ApiServer } from "../../servers/api-server.ts";
import { warn } from "../stream/guarded.ts";

/** Opens a server by its record; the application may replace it (a server made on demand, a fake). */
export type OpenServer = (record: ServerRecord, login: () => Promise<Secret>) => Promise<Server>;

/** Milliseconds until a server that does not open is given up; one may be made on demand. */
const OPEN_MS = 10 * 60_000;
/** Milliseconds that closing a server may take: what does not end by then is left to the end of the process. */
const CLOSE_MS = 10_000;

/** An open server in somebody's hands: nobody closes it under them because its record changed. */
export interface HeldServer extends Disposable {
  readonly server: Server;
}

interface Entry {
  readonly serverId: string;
  /** Record and connection data. */
  readonly key: string;
  readonly opening: Promise<Server>;
  /** Null while it is being opened. */
  server: Server | null;
  holders: number;
  /** A newer one has its place: it is closed as soon as nobody holds it. */
  outdated: boolean;
}

/**
 * Open servers by record and connection data, shared by everything in this instance. When the connection of a record
 * changes, new work gets a new one, and what is under way goes on with the one that it began with.
 */
export class ServerPool {
  readonly #open: OpenServer;
  readonly #login: (record: ServerRecord) => Promise<Secret>;
  readonly #entries = new Set<Entry>();
  /** Those that new work may have. */
  readonly #byKey = new Map<string, Entry>();
  #isClosed = false;

  constructor(open: OpenServer, login: (record: ServerRecord) => Promise<Secret>) {
    this.#open = open;
    this.#login = login;
  }

  /**
   * The server of a record, to be let go of when the work with it is done. Waits for it to open until `signal` is aborted;
   * what cannot be opened now is opened by whoever asks next.
   * @throws HW_INPUT_INVALID for a cluster, what opening it throws, the signal's reason, HW_SSH_UNREACHABLE after ten minutes, HW_CLOSED
   */
  async hold(record: ServerRecord, signal?: AbortSignal): Promise<HeldServer> {
    if (this.#isClosed) {
      const message = `${record.name} was asked for after the instance was closed. Nothing was done there.`;
      throw new HostwrightError("HW_CLOSED", message, { server: record.name });
    }
    const members = membersOf(record);
    if (members !== null) throw noMachine(record, members.length);
    const entry = this.#byKey.get(keyOf(record)) ?? this.#add(record);
    entry.holders += 1;
    let held = true;
    const letGo = (): void => {
      if (held) entry.holders -= 1;
      held = false;
      this.#closeIfUnused(entry);
    };
    try {
      return { server: await until(entry.opening, signal), [Symbol.dispose]: letGo };
    } catch (error) {
      letGo();
      throw error;
    }
  }

  /** Those that are open: for counts. */
  opened(): readonly Server[] {
    return [...this.#entries].flatMap(({ server }) => server ?? []);
  }

  /** Work that comes gets another connection: the server's key changed, or its record is gone. */
  forget(serverId: string): void {
    for (const entry of this.#entries) {
      if (entry.serverId !== serverId) continue;
      this.#dropKey(entry);
      entry.outdated = true;
      this.#closeIfUnused(entry);
    }
  }

  /** Stops what runs, and closes all. Never rejects. One that is still being opened is not waited for: it is closed when it is open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const entries = [...this.#entries];
    this.#entries.clear();
    this.#byKey.clear();
    await Promise.all(entries.map(async (entry) => (entry.server === null ? closeLater(entry) : close(entry.server))));
  }

  #add(record: ServerRecord): Entry {
    for (const older of this.#entries) {
      if (older.serverId !== record.id) continue;
      older.outdated = true;
      this.#closeIfUnused(older);
    }
    const opening = inTime(
      record.name,
      isApi(record) ? Promise.resolve(new ApiServer(record.name)) : this.#open(record, async () => this.#login(record)),
    );
    const key = keyOf(record);
    const entry: Entry = { serverId: record.id, key, opening, server: null, holders: 0, outdated: false };
    this.#entries.add(entry);
    this.#byKey.set(key, entry);
    opening.then(
      (server) => (entry.server = server),
      () => this.#remove(entry),
    );
    return entry;
  }

  #closeIfUnused(entry: Entry): void {
    if (!entry.outdated || entry.holders > 0) return;
    this.#remove(entry);
    closeLater(entry);
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry);
    this.#dropKey(entry);
  }

  #dropKey(entry: Entry): void {
    if (this.#byKey.get(entry.key) === entry) this.#byKey.delete(entry.key);
  }
}

function noMachine({ name }: ServerRecord, members: number): HostwrightError {
  return new HostwrightError(
    "HW_INPUT_INVALID",
    `${name} is a cluster of ${members} servers: it cannot be worked on itself. Nothing was changed.`,
    { server: name, remedy: "Name one of its members." },
  );
}

/** One that comes too late is known to nobody, and closed. */
async function inTime(name: string, opening: Promise<Server>): Promise<Server> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    opening.then(close, () => undefined);
    const message = `${name} was not opened within ${OPEN_MS / 60_000} minutes. Nothing was done there.`;
    late.reject(new HostwrightError("HW_SSH_UNREACHABLE", message, { server: name, retryable: true }));
  }, OPEN_MS).unref();
  return Promise.race([opening, late.promise]).finally(() => clearTimeout(timer));
}

async function until(opening: Promise<Server>, signal: AbortSignal | undefined): Promise<Server> {
  signal?.throwIfAborted();
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(signal?.reason as Error);
  signal?.addEventListener("abort", stop);
  return Promise.race([opening, stopped.promise]).finally(() => signal?.removeEventListener("abort", stop));
}

async function close(server: Server): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, CLOSE_MS);
  await Promise.race([(async () => server.close())().catch(warn), late.promise]);
  clearTimeout(timer);
}

function keyOf({ id, connect }: ServerRecord): string {
  return JSON.stringify([id, connect]);
}

/** What goes wrong while it says goodbye is nobody's concern: nothing ran there any longer. */
function closeLater({ opening }: Entry): void {
  opening.then(async (server) => server.close()).catch(() => undefined);
}
