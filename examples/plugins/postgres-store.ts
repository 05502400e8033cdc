import { setTimeout as delay } from "node:timers/promises";
import {
  HostwrightError,
  TABLES,
  type AnyRows,
  type EventLog,
  type ReadRows,
  type Rows,
  type StoredEvent,
  type StoreKernel,
  type Tables,
} from "@hostwright/core/kernel";
import { CONTRACT, PART, provide, type Plugin } from "@hostwright/core/plugin";
import { Pool, type PoolClient } from "pg";
import { PostgresRows, schemaSql } from "./postgres-rows.ts";

const EVENTS = [
  "CREATE TABLE IF NOT EXISTS writers ()",
  `CREATE TABLE IF NOT EXISTS events (seq bigint PRIMARY KEY, at text COLLATE "C" NOT NULL, task text, type text NOT NULL, payload text NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS events_task ON events (task, seq)`,
  `CREATE TABLE IF NOT EXISTS event_numbers (last bigint NOT NULL, removed bigint NOT NULL, one boolean PRIMARY KEY CHECK (one))`,
  `INSERT INTO event_numbers VALUES (0, 0, true) ON CONFLICT DO NOTHING`,
];
const SCHEMA_LOCK = 7_237_918;
/** Milliseconds for which a transaction that met others is run again. */
const BUSY_MS = 30_000;
/** Whoever stops inside a transaction keeps its locks no longer. */
const IDLE_MS = 5_000;
const LEAP = 1_000_000;
const BROKEN = "connection lost";
/**
 * Writers one after the other, each with a snapshot that it takes once it has its turn: then nothing is ever run again for
 * another's sake. With SERIALIZABLE instead, four workers ran most transactions many times, and some for longer than they
 * may wait: nearly all of them read and raise the same few counters.
 */
const [WRITE, IN_TURN] = ["BEGIN ISOLATION LEVEL REPEATABLE READ", "LOCK TABLE writers IN EXCLUSIVE MODE"];
const WRITE_EVENTS = "BEGIN";
/** serialization_failure, deadlock_detected, lock_not_available; a connection that was lost, as of a session that stood still. */
const AGAIN = ["40001", "40P01", "55P03", BROKEN];
const FULL = ["53100"];

/** The state in a PostgreSQL database, for workers on several machines: each is given the same database and the same key. */
export function postgresStore({ url }: { readonly url: string }): Plugin {
  return {
    name: "example-postgres-store",
    contract: CONTRACT,
    parts: [provide(PART.openKernel, () => async () => openPostgresKernel(url))],
  };
}

export async function openPostgresKernel(url: string): Promise<StoreKernel> {
  const pool = new Pool({
    connectionString: url,
    max: 4,
    idle_in_transaction_session_timeout: IDLE_MS,
  });
  // A connection that ends while nobody uses it: the next one is opened when it is needed.
  pool.on("error", () => undefined);
  const tables = new PostgresTables(pool);
  try {
    await tables.inTransaction(WRITE_EVENTS, BUSY_MS, async (client) => {
      await client.query(`SELECT pg_advisory_xact_lock(${SCHEMA_LOCK})`);
      for (const sql of [...TABLES.flatMap(schemaSql), ...EVENTS]) await client.query(sql);
    });
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    reach: "network",
    tables,
    events: postgresEvents(tables),
    integrity: async () => [],
    // What was erased stays in dead rows, write-ahead log and archives until the database's own upkeep removes it.
    scrub: async () => false,
    close: async () => pool.end(),
  };
}

class PostgresTables implements Tables {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async read<T>(work: (rows: ReadRows) => Promise<T>): Promise<T> {
    return this.inTransaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", BUSY_MS, async (client) =>
      work(rowsOf(client)),
    );
  }

  async transact<T>(work: (rows: Rows) => Promise<T>, waitMs?: number): Promise<T> {
    const [wait, passes] = waitMs === undefined ? [BUSY_MS, AGAIN] : [waitMs, [...AGAIN, ...FULL]];
    const begin = `${WRITE}; SET LOCAL lock_timeout = ${Math.ceil(wait)}; ${IN_TURN}`;
    return this.inTransaction(begin, wait, async (client) => work(rowsOf(client)), passes);
  }

  /** Who had begun and has not ended is part of a snapshot: it differs after each end. */
  async changed(): Promise<string> {
    return this.inTransaction("BEGIN READ ONLY", BUSY_MS, async (client) =>
      value(client, "SELECT pg_current_snapshot()"),
    );
  }

  async inTransaction<T>(
    begin: string,
    waitMs: number,
    work: (client: PoolClient) => Promise<T>,
    passes: readonly string[] = AGAIN,
  ): Promise<T> {
    const deadline = performance.now() + waitMs;
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(begin, work);
      } catch (error) {
        const code = codeOf(error);
        if (code === null) throw error;
        if (!passes.includes(code) || performance.now() >= deadline) throw storeError(code, error);
        await delay(Math.random() * Math.min(5 * 2 ** tries, 250));
      }
    }
  }

  async #once<T>(begin: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    const breaks = (error: Error): void => void (broken ??= error);
    client.on("error", breaks);
    try {
      await client.query(begin);
      const number = begin.endsWith("READ ONLY") ? null : await value(client, "SELECT pg_current_xact_id()");
      const result = await work(client);
      try {
        await client.query("COMMIT");
      } catch (error) {
        if (number === null || !isBroken(error)) throw error;
        breaks(error as Error);
        // Nobody heard whether it was committed: the database knows.
        if (!(await this.#isCommitted(number))) throw error;
      }
      return result;
    } catch (error) {
      if (isBroken(error)) breaks(error as Error);
      else await client.query("ROLLBACK").catch(breaks);
      throw error;
    } finally {
      client.off("error", breaks);
      client.release(broken);
    }
  }

  async #isCommitted(number: string): Promise<boolean> {
    const client = await this.#pool.connect();
    try {
      for (;;) {
        const status = await value(client, "SELECT pg_xact_status($1::xid8)", number);
        if (status !== "in progress") return status === "committed";
        await delay(100);
      }
    } finally {
      client.release();
    }
  }
}

/** One row has the last number: who appends holds it until the commit, so that a reader sees the numbers in their order. */
function postgresEvents(tables: PostgresTables): EventLog {
  const run = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> =>
    tables.inTransaction(WRITE_EVENTS, BUSY_MS, work);
  const numbers = async (set: string, ...values: readonly unknown[]): Promise<{ last: number; removed: number }> =>
    run(async (client) => numbersAfter(client, set, ...values));
  // What one process appends keeps its order, whichever of its connections is the faster.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  const append = async (events: readonly Omit<StoredEvent, "seq">[]): Promise<readonly StoredEvent[]> =>
    run(async (client) => {
      const { last } = await numbersAfter(client, "last = last + $1", events.length);
      const stored = events.map((event, index) => ({ ...event, seq: last - events.length + index + 1 }));
      await client.query(
        `INSERT INTO events SELECT * FROM json_to_recordset($1) AS e(seq bigint, at text, task text, type text, payload text)`,
        [JSON.stringify(stored.map((event) => ({ ...event, payload: JSON.stringify(event.payload) })))],
      );
      return stored;
    });
  return {
    append: async (events) => (events.length === 0 ? [] : inTurn(async () => append(events))),
    after: async (seq, { task, limit = 500 } = {}) =>
      run(async (client) => {
        const of = task === undefined ? "" : "AND task = $3";
        const { rows } = await client.query<Omit<StoredEvent, "seq" | "payload"> & { seq: string; payload: string }>(
          `SELECT * FROM events WHERE seq > $1 ${of} ORDER BY seq LIMIT $2`,
          [seq, limit, ...(task === undefined ? [] : [task])],
        );
        return rows.map((row) => ({ ...row, seq: Number(row.seq), payload: JSON.parse(row.payload) as unknown }));
      }),
    last: async () => (await numbers("last = last")).last,
    leap: async () => void (await numbers("last = last + $1", LEAP)),
    removedUpTo: async () => (await numbers("removed = removed")).removed,
    remove: async (which, limit) =>
      run(async (client) => {
        const byTask = "task" in which;
        const first = byTask
          ? "SELECT seq FROM events WHERE task = $1 ORDER BY seq LIMIT $2"
          : "SELECT seq FROM events WHERE seq < COALESCE((SELECT min(seq) FROM events WHERE at >= $1), 'Infinity'::float8) ORDER BY seq LIMIT $2";
        const { rows } = await client.query<{ seq: string }>(
          `DELETE FROM events WHERE seq IN (${first}) RETURNING seq`,
          [byTask ? which.task : which.before, limit],
        );
        const highest = rows.reduce((most, { seq }) => Math.max(most, Number(seq)), 0);
        if (!byTask) await numbersAfter(client, "removed = greatest(removed, $1)", highest);
        return rows.length;
      }),
  };
}

async function numbersAfter(
  client: PoolClient,
  set: string,
  ...values: readonly unknown[]
): Promise<{ readonly last: number; readonly removed: number }> {
  const { rows } = await client.query<{ last: string; removed: string }>(
    `UPDATE event_numbers SET ${set} RETURNING last, removed`,
    [...values],
  );
  return { last: Number(rows[0]?.last), removed: Number(rows[0]?.removed) };
}

async function value(client: PoolClient, sql: string, ...given: readonly unknown[]): Promise<string> {
  const { rows } = await client.query<[string]>({ text: sql, values: [...given], rowMode: "array" });
  return String(rows[0]?.[0]);
}

function rowsOf(client: PoolClient): Rows {
  return new PostgresRows(client) as AnyRows as Rows;
}

/** Of the database or of the way to it; null of anything else, which is the work's own. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || error.name === "HostwrightError") return null;
  if (isBroken(error)) return BROKEN;
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : null;
}

/** The connection is gone, by the server's word or without one. */
function isBroken(error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return (
    /^(?:E[A-Z]+|08\d{3}|57P01|25P03)$/.test(String(code)) ||
    /^(?:Connection terminated|Client has )/.test(String(message))
  );
}

function storeError(code: string, cause: unknown): HostwrightError {
  if (AGAIN.includes(code)) {
    const what = "The database was busy for too long. Nothing was written.";
    return new HostwrightError("HW_STORE_BUSY", what, { retryable: true, cause });
  }
  if (FULL.includes(code))
    return new HostwrightError("HW_DISK_FULL", "The disk of the database is full. Nothing was written.", { cause });
  return new HostwrightError("HW_STORE_FAILED", `The database failed (${code}). Nothing was written.`, { cause });
}
