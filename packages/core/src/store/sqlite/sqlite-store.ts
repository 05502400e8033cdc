import { statSync } from "node:fs";
import { join } from "node:path";
import type { StateStore } from "../../contracts/store.ts";
import type { StoreKernel } from "../../contracts/store/kernel.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { ensurePrivateDirectory } from "../private-files.ts";
import { identityIn, identityOf } from "../state/identity.ts";
import { stateStore, type StateStoreOptions } from "../state-store.ts";
import { CONSISTENCY } from "./consistency.ts";
import { Database } from "./database.ts";
import { EventsFile, ownerOfEvents } from "./events-file.ts";
import { SqliteEvents } from "./events.ts";
import { Openers, refuseDamaged, type Inspect } from "./openers.ts";
import { EVENT_MIGRATIONS, STORE_MIGRATIONS } from "./schema.ts";
import { SqliteTables } from "./sqlite-tables.ts";

export interface SqliteStoreOptions extends Omit<StateStoreOptions, "watch"> {
  /** State folder on a local file system; made with mode 0700 if it is not there. */
  readonly directory: string;
  /** Milliseconds until a call that finds the store locked fails with HW_STORE_BUSY; default 30,000. */
  readonly busyMs?: number;
  /** Names of other parts of a state that stand in the folder: beside them a store cannot be new. Default: none. */
  readonly beside?: readonly string[];
  /** Looks whether a file is whole that was not closed; default: SQLite's quick check. */
  readonly inspect?: Inspect;
}

const BUSY_MS = 30_000;

/** The embedded state store, which several processes of one machine may open at once: core over `openSqliteKernel`. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<StateStore> {
  return stateStore(await openSqliteKernel(options), options);
}

/**
 * Two files: store.db, each commit durable, and events.db, so that a flood of logs neither waits for the disk nor makes
 * the journal wait.
 * @throws HW_STORE_INCOMPATIBLE, HW_STORE_DAMAGED, HW_STORE_EXPOSED, HW_STORE_BUSY, HW_PERMISSION_DENIED, HW_HOST_UNSUPPORTED
 */
export async function openSqliteKernel(options: SqliteStoreOptions): Promise<StoreKernel> {
  ensurePrivateDirectory(options.directory);
  const common = { busyMs: options.busyMs ?? BUSY_MS };
  const eventsPath = join(options.directory, "events.db");
  const hadEvents = statSync(eventsPath, { throwIfNoEntry: false }) !== undefined;
  const path = join(options.directory, "store.db");
  const gone = await refuseDamaged(path, options.inspect);
  const store = await Database.open({
    ...common,
    path,
    synchronous: "FULL",
    migrations: STORE_MIGRATIONS,
  });
  const openers = new Openers(store, gone);
  try {
    const tables = new SqliteTables(store);
    const isFirst = (await tables.read(identityIn)) === null;
    if (isFirst) await refuseLost(options, hadEvents);
    const { installation } = await identityOf(tables);
    const eventOptions = {
      ...common,
      path: eventsPath,
      synchronous: "NORMAL",
      migrations: EVENT_MIGRATIONS,
      installation,
      // SQLite's own lock, which nobody leaves behind.
      alone: async (work: () => void) => store.write(work),
    } as const;
    const events = await EventsFile.open(eventOptions, isFirst);
    return {
      reach: "machine",
      tables,
      events: new SqliteEvents(events),
      integrity: async () => [...(await store.integrity(CONSISTENCY)), ...(await (await events.present()).integrity())],
      scrub: async () => (await Promise.all([store.scrub(), events.scrub()])).every(Boolean),
      close: async () => {
        await openers.leave();
        await Promise.all([store.close(), events.close()]);
      },
    };
  } catch (error) {
    await openers.leave();
    await store.close();
    throw error;
  }
}

/** A store that is new where an old one was has been lost. @throws HW_STORE_INCOMPLETE */
async function refuseLost({ directory, beside = [] }: SqliteStoreOptions, hadEvents: boolean): Promise<void> {
  const old = [...beside, ...(hadEvents && ownerOfEvents(join(directory, "events.db")) !== null ? ["events.db"] : [])];
  if (old.length === 0) return;
  throw new HostwrightError(
    "HW_STORE_INCOMPLETE",
    `${join(directory, "store.db")} is missing or empty, beside ${old.join(" and ")} of an installation: all records would be forgotten. Nothing was changed.`,
    {
      remedy: `Put store.db back from a backup and call raiseEpoch. Only for a new installation: move ${old.join(" and ")} out of the folder.`,
      data: { part: "store.db", beside: old },
    },
  );
}
