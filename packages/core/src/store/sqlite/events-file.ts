import { renameSync, rmSync, statSync } from "node:fs";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import { createPrivateFile } from "../private-files.ts";
import { Database, type DatabaseOptions } from "./database.ts";
import { leapAfterBoot } from "./events.ts";
import type { Transactions } from "./transactions.ts";

export interface EventsFileOptions extends DatabaseOptions {
  readonly installation: string;
  /** Runs when no other process runs such work: files are put in each other's place in it. */
  alone(work: () => void): Promise<void>;
}

const BESIDE = ["-wal", "-shm"];

/**
 * events.db, which somebody may delete at any time: it decides nothing. Whoever has it open would go on with a file that
 * nobody else sees, so each use looks whether it is still the one of that name. One that is damaged is set aside, and a new
 * one begun in its place.
 */
export class EventsFile implements Transactions {
  readonly #options: EventsFileOptions;
  #db: Database;
  #file: string | null;
  #reopening: Promise<void> | undefined;
  #isClosed = false;

  /** Use `open`. */
  constructor(options: EventsFileOptions, db: Database) {
    this.#options = options;
    this.#db = db;
    this.#file = fileAt(options.path);
  }

  /** `isFirst`: nobody can have a cursor of a file before it. */
  static async open(options: EventsFileOptions, isFirst: boolean): Promise<EventsFile> {
    return new EventsFile(options, await openAt(options, isFirst));
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
    return this.#use(async (db) => db.read(work));
  }

  async write<T>(work: () => T): Promise<T> {
    return this.#use(async (db) => db.write(work));
  }

  /** The one that has the name now. */
  async present(): Promise<Database> {
    if (!this.#isClosed && fileAt(this.#options.path) !== this.#file) {
      this.#reopening ??= this.#reopen().finally(() => (this.#reopening = undefined));
    }
    await this.#reopening;
    return this.#db;
  }

  /** See `Database.scrub`. */
  async scrub(): Promise<boolean> {
    return this.#use(async (db) => db.scrub());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reopening?.catch(() => undefined);
    await this.#db.close();
  }

  async #use<T>(work: (db: Database) => Promise<T>): Promise<T> {
    const db = await this.present();
    const file = this.#file;
    try {
      return await work(db);
    } catch (error) {
      if (!isDamaged(error) || this.#isClosed) throw error;
      await setAside(this.#options, file, error);
      return work(await this.present());
    }
  }

  async #reopen(): Promise<void> {
    // What was begun ends in the file that it began with.
    await this.#db.close();
    this.#db = await openAt(this.#options, false);
    this.#file = fileAt(this.#options.path);
  }
}

async function openAt(options: EventsFileOptions, isFirst: boolean): Promise<Database> {
  if (fileAt(options.path) === null) await options.alone(() => begin(options.path));
  const file = fileAt(options.path);
  try {
    return await openPresent(options, isFirst);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    await setAside(options, file, error);
    return openPresent(options, false);
  }
}

async function openPresent(options: EventsFileOptions, isFirst: boolean): Promise<Database> {
  const db = await Database.open(options);
  try {
    await leapAfterBoot(db, isFirst);
    await requireOwn(db, options.installation, options.path);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

function begin(path: string): void {
  if (fileAt(path) !== null) return;
  // Of another file that is gone.
  for (const beside of BESIDE) rmSync(`${path}${beside}`, { force: true });
  createPrivateFile(path, "");
}

/** Unless another process has done so meanwhile. */
async function setAside({ path, alone }: EventsFileOptions, file: string | null, why: Error): Promise<void> {
  await alone(() => {
    if (fileAt(path) !== file) return;
    const aside = `${path}.damaged`;
    for (const part of [...BESIDE, ""]) {
      rmSync(`${aside}${part}`, { force: true });
      if (fileAt(`${path}${part}`) !== null) renameSync(`${path}${part}`, `${aside}${part}`);
    }
    begin(path);
    process.emitWarning(
      `${why.message} It is kept as ${aside}, and events begin anew; tasks and records do not need it.`,
    );
  });
}

function isDamaged(error: unknown): error is HostwrightError {
  return isHostwrightError(error) && error.code === "HW_STORE_DAMAGED";
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
      remedy:
        "Put store.db and events.db back from one backup; or move events.db away: tasks and records do not need it.",
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
