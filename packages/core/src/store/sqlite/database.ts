import { setTimeout as sleep } from "node:timers/promises";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Value } from "../../contracts/store/tables.ts";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import { createPrivateFile, requirePrivate } from "../private-files.ts";
import { inspect } from "./inspect.ts";
import { migrate } from "./migrate.ts";
import { isBusy, isFull, storeError } from "./sqlite-error.ts";
import type { Transactions } from "./transactions.ts";

export interface DatabaseOptions {
  readonly path: string;
  /** FULL: a commit survives a loss of power. NORMAL: it survives the process, and power loss drops only the newest. */
  readonly synchronous: "FULL" | "NORMAL";
  readonly migrations: readonly string[];
  /** Milliseconds until a call that finds the file locked gives up. */
  readonly busyMs: number;
}

// SQLite waits in the thread, which stops this process: only so long, and then on a timer instead.
const BLOCKING_WAIT_MS = 10;
const LONGEST_PAUSE_MS = 100;
/** Of waiting, after which the process is warned. */
const WARN_MS = 5_000;

/** `PRAGMA auto_vacuum`: free pages are given back when `incremental_vacuum` asks for it. */
const INCREMENTAL = 2;
/** 1 MiB, moved within milliseconds. */
const PAGES_AT_ONCE = 256;
const CHECKPOINT_TRIES = 10;

interface FreePages {
  readonly freelist_count: number;
}

/** One SQLite file: statements prepared once, transactions one after another, waits that do not block. */
export class Database implements Transactions {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #busyMs: number;
  readonly #statements = new Map<string, StatementSync>();
  /** Those whose rows are arrays. */
  readonly #arrays = new Map<string, StatementSync>();
  #turn: Promise<void> = Promise.resolve();
  #inLine = 0;
  /** The end of whoever of this process is last in line for the connection. */
  #last: Promise<void> = Promise.resolve();
  #first: (() => void) | null = null;

  /** Use `open`. */
  constructor(options: DatabaseOptions) {
    this.#path = options.path;
    this.#busyMs = options.busyMs;
    // Not imported: an older Node would say that it knows no such module, before it can be told what is needed.
    const sqlite = process.getBuiltinModule("node:sqlite");
    this.#db = new sqlite.DatabaseSync(options.path, { timeout: BLOCKING_WAIT_MS });
  }

  /** @throws HW_STORE_INCOMPATIBLE, HW_STORE_DAMAGED, HW_STORE_EXPOSED, HW_STORE_BUSY, HW_HOST_UNSUPPORTED */
  static async open(options: DatabaseOptions): Promise<Database> {
    createPrivateFile(options.path, "");
    requirePrivate(options.path, "600");
    const database = connect(options);
    try {
      await database.#prepare(options);
    } catch (error) {
      database.#db.close();
      throw error;
    }
    return database;
  }

  async #prepare(options: DatabaseOptions): Promise<void> {
    await this.read(() => {
      // Before the first table, or it takes a VACUUM; of an existing file this would wait for the lock of whoever writes.
      const isNew = this.#db.prepare("PRAGMA page_count").get()?.["page_count"] === 0;
      if (isNew) this.#db.exec(`PRAGMA auto_vacuum = ${INCREMENTAL}`);
      const mode = this.#db.prepare("PRAGMA journal_mode = WAL").get();
      if (mode?.["journal_mode"] !== "wal") {
        throw new HostwrightError(
          "HW_HOST_UNSUPPORTED",
          `${this.#path} is on a file system without shared memory maps.`,
          {
            remedy: "Put the state folder on a local file system.",
          },
        );
      }
      this.#db.exec(
        `PRAGMA synchronous = ${options.synchronous}; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON`,
      );
    });
    await migrate(this, options.migrations);
    await this.#rewrite();
  }

  /**
   * A file of before `secure_delete` keeps what was erased in pages that are free: once it is written anew as a whole. If
   * there is no room or somebody else is at it, the next opening does it.
   */
  async #rewrite(): Promise<void> {
    const isNew = await this.read(() => this.get<{ auto_vacuum: number }>("PRAGMA auto_vacuum"));
    if (isNew?.auto_vacuum === INCREMENTAL) return;
    try {
      await this.read(() => this.#db.exec(`PRAGMA auto_vacuum = ${INCREMENTAL}; VACUUM`));
    } catch (error) {
      if (!isHostwrightError(error) || !error.retryable) throw error;
    }
  }

  /**
   * What was erased leaves the files: free pages are given back, a bounded number at a time, and the log is written into
   * the file and emptied. False when somebody is in the way or more is to be done: call it again.
   */
  async scrub(): Promise<boolean> {
    const { freelist_count: free = 0 } = (await this.read(() => this.get<FreePages>("PRAGMA freelist_count"))) ?? {};
    if (free > 0) await this.write(() => this.#db.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`));
    for (let tries = 0; tries < CHECKPOINT_TRIES; tries++) {
      const answer = await this.read(() => this.get<{ busy: number }>("PRAGMA wal_checkpoint(TRUNCATE)"));
      if (answer?.busy === 0) return free <= PAGES_AT_ONCE;
      await sleep(LONGEST_PAUSE_MS * Math.random());
    }
    return false;
  }

  /** What is damaged, in words, and what these queries give; all of the file is read. */
  async integrity(
    queries: readonly string[] = [],
  ): Promise<readonly { readonly file: string; readonly what: string }[]> {
    return (await inspect(this.#path, "whole", queries)).map((what) => ({ file: this.#path, what }));
  }

  /** To be done in the first transaction from here on that is committed. */
  withFirstWrite(work: () => void): void {
    this.#first = work;
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names its row, as with `all`
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  /** Rows without the names of their columns, which is much faster for many. */
  values(sql: string, ...values: SQLInputValue[]): readonly (readonly Value[])[] {
    return this.#array(sql).all(...values) as unknown as readonly (readonly Value[])[];
  }

  /** The same one by one, for those who go on with other things in between. */
  iterate(sql: string, ...values: SQLInputValue[]): Iterable<readonly Value[]> {
    return this.#array(sql).iterate(...values) as unknown as Iterable<readonly Value[]>;
  }

  run(sql: string, ...values: SQLInputValue[]): { readonly changes: number; readonly row: number } {
    const { changes, lastInsertRowid } = this.#statement(sql).run(...values);
    return { changes: Number(changes), row: Number(lastInsertRowid) };
  }

  /** Several statements without values: the schema. */
  script(sql: string): void {
    this.#db.exec(sql);
  }

  async read<T>(work: () => T): Promise<T> {
    return this.#patiently(work, performance.now() + this.#busyMs);
  }

  /** What `work` reads is of one moment. It awaits nothing that takes time, but breathes: others wait for it meanwhile. */
  async snapshot<T>(work: () => Promise<T>): Promise<T> {
    return this.#patiently(async () => this.#transaction("BEGIN", work), performance.now() + this.#busyMs);
  }

  /**
   * One transaction, which takes the write lock at its start: a deferred one that is upgraded later fails at once when
   * another process wrote meanwhile. `work` awaits nothing that takes time, and runs again after a rollback. Calls keep
   * their order; one whose time is over while others of this process wait for the lock in front of it fails as if it had
   * met the lock itself.
   */
  async write<T>(work: () => T | Promise<T>, waitMs?: number): Promise<T> {
    const deadline = performance.now() + (waitMs ?? this.#busyMs);
    const passes = waitMs === undefined ? isBusy : (error: unknown): boolean => isBusy(error) || isFull(error);
    const before = this.#turn;
    const own = Promise.withResolvers<void>();
    this.#turn = own.promise;
    this.#inLine += 1;
    try {
      if (this.#inLine > 1) await this.#until(before, deadline);
      return await this.#patiently(async () => this.#write(work), deadline, passes);
    } finally {
      this.#inLine -= 1;
      void before.then(own.resolve);
    }
  }

  async #until(before: Promise<void>, deadline: number): Promise<void> {
    const { promise: over, reject } = Promise.withResolvers<never>();
    const what = `${this.#path}: others of this process have waited for it since before. Nothing was written.`;
    const tooLate = (): void => reject(new HostwrightError("HW_STORE_BUSY", what, { retryable: true }));
    const timer = setTimeout(tooLate, deadline - performance.now());
    try {
      await Promise.race([before, over]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#last;
    if (this.#db.isOpen) this.#db.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #array(sql: string): StatementSync {
    let statement = this.#arrays.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      statement.setReturnArrays(true);
      this.#arrays.set(sql, statement);
    }
    return statement;
  }

  async #write<T>(work: () => T | Promise<T>): Promise<T> {
    const value = await this.#transaction("BEGIN IMMEDIATE", async () => {
      this.#first?.();
      return work();
    });
    this.#first = null;
    return value;
  }

  async #transaction<T>(begin: string, work: () => Promise<T>): Promise<T> {
    this.#statement(begin).run();
    try {
      const value = await work();
      this.#statement("COMMIT").run();
      return value;
    } catch (error) {
      if (this.#db.isTransaction) this.#statement("ROLLBACK").run();
      throw error;
    }
  }

  /** Alone on the connection: whoever comes meanwhile waits for the transaction that is open. */
  async #alone<T>(work: () => T | Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    try {
      if (!this.#db.isOpen) throw new HostwrightError("HW_CLOSED", `${this.#path} was used after it was closed.`);
      return await work();
    } finally {
      resolve();
    }
  }

  async #patiently<T>(
    work: () => T | Promise<T>,
    deadline: number,
    passes: (error: unknown) => boolean = isBusy,
  ): Promise<T> {
    let warnAt: number | null = performance.now() + WARN_MS;
    for (let pause = 2; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await this.#alone(work);
      } catch (error) {
        if (!passes(error) || performance.now() >= deadline) throw storeError(error, this.#path);
        if (warnAt !== null && performance.now() >= warnAt) {
          warnAt = null;
          process.emitWarning(`${this.#path}: ${(error as Error).message} for ${WARN_MS} ms by now. It is waited for.`);
        }
      }
      // Spread out, since SQLite's locks know no queue.
      await sleep(pause * (0.5 + Math.random()));
    }
  }
}

function connect(options: DatabaseOptions): Database {
  try {
    return new Database(options);
  } catch (error) {
    throw storeError(error, options.path);
  }
}
