import { rmSync, statSync } from "node:fs";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { Database, type DatabaseOptions } from "./database.ts";
import { leapAfterBoot } from "./events.ts";
import type { Transactions } from "./transactions.ts";

/**
 * events.db, which somebody may delete at any time: it decides nothing. Whoever has it open would go on with a file that
 * nobody else sees, so each use looks whether it is still the one of that name.
 */
export class EventsFile implements Transactions {
  readonly #options: DatabaseOptions;
  readonly #installation: string;
  #db: Database;
  #file: string | null;
  #reopening: Promise<void> | undefined;
  #isClosed = false;

  /** Use `open`. */
  constructor(options: DatabaseOptions, installation: string, db: Database) {
    this.#options = options;
    this.#installation = installation;
    this.#db = db;
    this.#file = fileAt(options.path);
  }

  /** `isFirst`: nobody can have a cursor of a file before it. */
  static async open(options: DatabaseOptions, installation: string, isFirst: boolean): Promise<EventsFile> {
    return new EventsFile(options, installation, await openAt(options, installation, isFirst));
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#db.all<Row>(sql, ...values);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names its row, as with `all`
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#db.get<Row>(sql, ...values);
  }

  run(sql: string, ...values: SQLInputValue[]): ReturnType<Transactions["run"]> {
    return this.#db.run(sql, ...values);
  }

  async read<T>(work: () => T): Promise<T> {
    return (await this.present()).read(work);
  }

  async write<T>(work: () => T): Promise<T> {
    return (await this.present()).write(work);
  }

  /** The one that has the name now. */
  async present(): Promise<Database> {
    if (!this.#isClosed && fileAt(this.#options.path) !== this.#file) {
      this.#reopening ??= this.#reopen().finally(() => (this.#reopening = undefined));
    }
    await this.#reopening;
    return this.#db;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reopening?.catch(() => undefined);
    await this.#db.close();
  }

  async #reopen(): Promise<void> {
    // What was begun ends in the file that it began with.
    await this.#db.close();
    this.#db = await openAt(this.#options, this.#installation, false);
    this.#file = fileAt(this.#options.path);
  }
}

async function openAt(options: DatabaseOptions, installation: string, isFirst: boolean): Promise<Database> {
  if (fileAt(options.path) === null) {
    // Of another file that is gone.
    for (const beside of ["-wal", "-shm"]) rmSync(`${options.path}${beside}`, { force: true });
  }
  const db = await Database.open(options);
  try {
    await leapAfterBoot(db, isFirst);
    await requireOwn(db, installation, options.path);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** @throws HW_STORE_INCOMPLETE */
async function requireOwn(db: Database, installation: string, path: string): Promise<void> {
  const sql = "INSERT INTO meta (name, value) VALUES ('installation', ?) ON CONFLICT DO NOTHING";
  const owner = await db.read(() => db.get<{ value: string }>(OWNER)?.value);
  if (owner === installation) return;
  if (owner === undefined) return void (await db.write(() => db.run(sql, installation)));
  throw new HostwrightError(
    "HW_STORE_INCOMPLETE",
    `${path} is of another installation than store.db. Nothing was told.`,
    {
      mend: "Put store.db and events.db back from one backup; or move events.db away: tasks and records do not need it.",
      data: { part: "events.db", installation, found: owner },
    },
  );
}

const OWNER = "SELECT value FROM meta WHERE name = 'installation'";

/** The installation that a file is of; null when it holds nothing of any. The file is not changed. */
export function ownerOfEvents(path: string): string | null {
  let db: DatabaseSync | undefined;
  try {
    const sqlite = process.getBuiltinModule("node:sqlite");
    db = new sqlite.DatabaseSync(path, { readOnly: true });
    const owner = db.prepare(OWNER).get()?.["value"];
    if (typeof owner === "string") return owner;
    return db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get() === undefined ? null : "unknown";
  } catch {
    // Empty, or no database.
    return null;
  } finally {
    db?.close();
  }
}

function fileAt(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}
