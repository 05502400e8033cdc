import { rmSync, statSync } from "node:fs";
import type { SQLInputValue } from "node:sqlite";
import { Database, type DatabaseOptions } from "./database.ts";
import { leapAfterBoot } from "./events.ts";
import type { Transactions } from "./transactions.ts";

/**
 * events.db, which somebody may delete at any time: it decides nothing. Whoever has it open would go on with a file that
 * nobody else sees, so each use looks whether it is still the one of that name.
 */
export class EventsFile implements Transactions {
  readonly #options: DatabaseOptions;
  #db: Database;
  #file: string | null;
  #reopening: Promise<void> | undefined;
  #isClosed = false;

  /** Use `open`. */
  constructor(options: DatabaseOptions, db: Database) {
    this.#options = options;
    this.#db = db;
    this.#file = fileAt(options.path);
  }

  /** `isFirst`: nobody can have a cursor of a file before it. */
  static async open(options: DatabaseOptions, isFirst: boolean): Promise<EventsFile> {
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
    this.#db = await openAt(this.#options, false);
    this.#file = fileAt(this.#options.path);
  }
}

async function openAt(options: DatabaseOptions, isFirst: boolean): Promise<Database> {
  if (fileAt(options.path) === null) {
    // Of another file that is gone.
    for (const beside of ["-wal", "-shm"]) rmSync(`${options.path}${beside}`, { force: true });
  }
  const db = await Database.open(options);
  try {
    await leapAfterBoot(db, isFirst);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

function fileAt(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}
