import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { StateStore, TaskWrites } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { ensurePrivateDirectory } from "../private-files.ts";
import { SqliteBookmarks } from "./bookmarks.ts";
import { CONSISTENCY } from "./consistency.ts";
import { Database } from "./database.ts";
import { raiseEpoch } from "./epoch.ts";
import { heldTransactions } from "./held-transactions.ts";
import { EventsFile, ownerOfEvents } from "./events-file.ts";
import { leap, SqliteEvents } from "./events.ts";
import { SqliteJournal } from "./journal.ts";
import { SqliteLeases } from "./leases.ts";
import { Openers, refuseDamaged, type Inspect } from "./openers.ts";
import { SqlitePlans } from "./plans.ts";
import { SqliteRecords } from "./records.ts";
import { SqliteRegister } from "./register.ts";
import { EVENT_MIGRATIONS, STORE_MIGRATIONS } from "./schema.ts";
import { SqliteSecrets } from "./secrets.ts";
import { SqliteTasks } from "./tasks.ts";
import type { Transactions } from "./transactions.ts";

export interface SqliteStoreOptions {
  /** State folder on a local file system; made with mode 0700 if it is not there. */
  readonly directory: string;
  /** Milliseconds after which a lease with a still heartbeat is dead; default 60,000. Beat at least four times as often. */
  readonly leaseMs?: number;
  /** Milliseconds until a call that finds the store locked fails with HW_STORE_BUSY; default 30,000. */
  readonly busyMs?: number;
  /** The same for a worker's writes of its task, after which it leaves the task to others; default 600,000. */
  readonly heldMs?: number;
  /** Names of other parts of a state that stand in the folder: beside them a store cannot be new. Default: none. */
  readonly beside?: readonly string[];
  /** Looks whether a file is whole that was not closed; default: SQLite's quick check. */
  readonly inspect?: Inspect;
}

const LEASE_MS = 60_000;
const BUSY_MS = 30_000;
const HELD_MS = 600_000;
const KEY_CHECK = "SELECT value FROM meta WHERE name = 'key-check'";

/**
 * The embedded state store, which several processes of one machine may open at once. Two files: store.db, each commit
 * durable, and events.db, so that a flood of logs neither waits for the disk nor makes the journal wait.
 * @throws HW_STORE_INCOMPATIBLE, HW_STORE_DAMAGED, HW_STORE_EXPOSED, HW_STORE_BUSY, HW_PERMISSION_DENIED, HW_HOST_UNSUPPORTED
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<StateStore> {
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
    const isFirst = await isNew(store);
    if (isFirst) await refuseLost(options, hadEvents);
    const { installation } = await identityOf(store);
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
      ...taskWrites(store),
      events: new SqliteEvents(events),
      bookmarks: new SqliteBookmarks(store),
      leases: new SqliteLeases(store, options.leaseMs ?? LEASE_MS),
      held: (task, holder) => taskWrites(heldTransactions(store, task, holder, options.heldMs ?? HELD_MS)),
      identity: async () => identityOf(store),
      keyCheck: {
        get: async () => store.read(() => store.get<{ value: string }>(KEY_CHECK)?.value ?? null),
        set: async (check) => {
          const sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('key-check', ?)";
          await store.write(() => store.run(sql, check));
        },
      },
      integrity: async () => [...(await store.integrity(CONSISTENCY)), ...(await (await events.present()).integrity())],
      raiseEpoch: async (at, outcome) => {
        await leap(events);
        return raiseEpoch(store, at, outcome);
      },
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

function taskWrites(db: Transactions): TaskWrites {
  return {
    records: new SqliteRecords(db),
    register: new SqliteRegister(db),
    tasks: new SqliteTasks(db),
    journal: new SqliteJournal(db),
    secrets: new SqliteSecrets(db),
    plans: new SqlitePlans(db),
  };
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

/** Then nobody can have a cursor of its events. */
async function isNew(db: Database): Promise<boolean> {
  return (await db.read(() => db.get("SELECT 1 FROM meta WHERE name = 'installation'"))) === undefined;
}

async function identityOf(db: Database): Promise<{ readonly installation: string; readonly epoch: number }> {
  const read = (): ReadonlyMap<string, string> =>
    new Map(
      db.all<{ name: string; value: string }>("SELECT name, value FROM meta").map((row) => [row.name, row.value]),
    );
  let meta = await db.read(read);
  if (!meta.has("installation")) {
    await db.write(() => {
      db.run(
        "INSERT INTO meta (name, value) VALUES ('installation', ?), ('epoch', '1') ON CONFLICT DO NOTHING",
        randomUUID(),
      );
    });
    meta = await db.read(read);
  }
  return { installation: meta.get("installation") ?? "", epoch: Number(meta.get("epoch")) };
}
