import {
  HostwrightError,
  TABLES,
  type AnyRows,
  type EventLog,
  type Rows,
  type StoredEvent,
  type StoreKernel,
  type Tables,
} from "@hostwright/core/kernel";
import { CONTRACT, PART, provide, type Plugin } from "@hostwright/core/plugin";
import type { PoolClient } from "pg";
import { PostgresRows, schemaSql } from "./postgres-rows.ts";
import { Transactions, valueOf } from "./postgres-transactions.ts";

const EVENTS = [
  `CREATE TABLE IF NOT EXISTS events (seq bigint PRIMARY KEY, at text COLLATE "C" NOT NULL, task text, type text NOT NULL, payload text NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS events_task ON events (task, seq)`,
  `CREATE TABLE IF NOT EXISTS event_numbers (last bigint NOT NULL, removed bigint NOT NULL, one boolean PRIMARY KEY CHECK (one))`,
  `INSERT INTO event_numbers VALUES (0, 0, true) ON CONFLICT DO NOTHING`,
];
const SCHEMA_LOCK = 7_237_918;
const LEAP = 1_000_000;

/** The state in a PostgreSQL database, for workers on several machines: each is given the same database and the same key. */
export function postgresStore({ url }: { readonly url: string }): Plugin {
  return {
    name: "example-postgres-store",
    contract: CONTRACT,
    parts: [
      provide(
        PART.openKernel,
        () =>
          async ({ beside }) =>
            openPostgresKernel(url, beside),
      ),
    ],
  };
}

export async function openPostgresKernel(url: string, beside: readonly string[] = []): Promise<StoreKernel> {
  const transactions = new Transactions(url);
  try {
    await transactions.write(async (client) => {
      await client.query(`SELECT pg_advisory_xact_lock(${SCHEMA_LOCK})`);
      await client.query("CREATE TABLE IF NOT EXISTS writers ()");
      // In the order of all who write, so that none of them and this one wait for each other.
      await client.query("LOCK TABLE writers IN EXCLUSIVE MODE");
      for (const sql of [...TABLES.flatMap(schemaSql), ...EVENTS]) await client.query(sql);
      if (beside.length > 0 && (await valueOf(client, "SELECT count(*) FROM meta")) === "0") throw lost(beside);
    });
  } catch (error) {
    await transactions.close();
    throw error;
  }
  return {
    reach: "network",
    tables: postgresTables(transactions),
    events: postgresEvents(transactions),
    integrity: async () => [],
    // What was erased leaves the database's files by its own vacuum and checkpoints, and archives when they go.
    scrub: async () => true,
    close: async () => transactions.close(),
  };
}

function lost(beside: readonly string[]): HostwrightError {
  const what = `The database is empty, beside ${beside.join(" and ")} of an installation. Nothing was written.`;
  const remedy = "Look whether this is its database. Only for a new installation: move these out of the state folder.";
  return new HostwrightError("HW_STORE_INCOMPLETE", what, { remedy, data: { part: "database", beside } });
}

function postgresTables(transactions: Transactions): Tables {
  return {
    read: async (work) => transactions.read(async (client) => work(rowsOf(client))),
    transact: async (work, waitMs) =>
      transactions.writeAlone(
        async (client) => work(rowsOf(client)),
        waitMs === undefined ? {} : { waitMs, full: true },
      ),
    // Who had begun and has not ended is part of a snapshot: it differs after each end.
    changed: async () => transactions.read(async (client) => valueOf(client, "SELECT pg_current_snapshot()")),
  };
}

function rowsOf(client: PoolClient): Rows {
  return new PostgresRows(client) as AnyRows as Rows;
}

/** One row has the last number: who appends holds it until the commit, so that a reader sees the numbers in their order. */
function postgresEvents(transactions: Transactions): EventLog {
  // What one process appends keeps its order, whichever of its connections is the faster.
  let before: Promise<unknown> = Promise.resolve();
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const mine = before.then(work);
    before = mine.catch(() => undefined);
    return mine;
  };
  const number = async (which: string): Promise<number> =>
    transactions.read(async (client) => Number(await valueOf(client, `SELECT ${which} FROM event_numbers`)));
  return {
    append: async (events) =>
      events.length === 0 ? [] : inTurn(async () => transactions.write(async (client) => append(client, events))),
    after: async (seq, { task, limit = 500 } = {}) =>
      transactions.read(async (client) => {
        const of = task === undefined ? "" : "AND task = $3";
        const { rows } = await client.query<Omit<StoredEvent, "seq" | "payload"> & { seq: string; payload: string }>(
          `SELECT * FROM events WHERE seq > $1 ${of} ORDER BY seq LIMIT $2`,
          [seq, limit, ...(task === undefined ? [] : [task])],
        );
        return rows.map((row) => ({ ...row, seq: Number(row.seq), payload: JSON.parse(row.payload) as unknown }));
      }),
    last: async () => number("last"),
    leap: async () => void (await transactions.write(async (client) => raised(client, LEAP))),
    removedUpTo: async () => number("removed"),
    remove: async (which, limit) => transactions.write(async (client) => remove(client, which, limit)),
  };
}

async function append(
  client: PoolClient,
  events: readonly Omit<StoredEvent, "seq">[],
): Promise<readonly StoredEvent[]> {
  const last = await raised(client, events.length);
  const stored = events.map((event, index) => ({ ...event, seq: last - events.length + index + 1 }));
  await client.query(
    `INSERT INTO events SELECT * FROM json_to_recordset($1) AS e(seq bigint, at text, task text, type text, payload text)`,
    [JSON.stringify(stored.map((event) => ({ ...event, payload: JSON.stringify(event.payload) })))],
  );
  return stored;
}

async function raised(client: PoolClient, by: number): Promise<number> {
  return Number(await valueOf(client, "UPDATE event_numbers SET last = last + $1 RETURNING last", [by]));
}

async function remove(
  client: PoolClient,
  which: { readonly task: string } | { readonly before: string },
  limit: number,
): Promise<number> {
  const first =
    "task" in which
      ? "SELECT seq FROM events WHERE task = $1 ORDER BY seq LIMIT $2"
      : "SELECT seq FROM events WHERE seq < COALESCE((SELECT min(seq) FROM events WHERE at >= $1), 'Infinity'::float8) ORDER BY seq LIMIT $2";
  const { rows } = await client.query<{ seq: string }>(`DELETE FROM events WHERE seq IN (${first}) RETURNING seq`, [
    "task" in which ? which.task : which.before,
    limit,
  ]);
  const highest = rows.reduce((most, { seq }) => Math.max(most, Number(seq)), 0);
  if ("before" in which && rows.length > 0)
    await client.query("UPDATE event_numbers SET removed = greatest(removed, $1)", [highest]);
  return rows.length;
}
