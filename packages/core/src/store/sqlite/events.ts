import type { StoredEvent } from "../../contracts/store.ts";
import type { EventLog } from "../../contracts/store/kernel.ts";
import { randomUUID } from "node:crypto";
import { bootId } from "../holder.ts";
import type { Database } from "./database.ts";
import { fromJson } from "../json.ts";
import type { Transactions } from "./transactions.ts";

interface Row extends Omit<StoredEvent, "payload"> {
  readonly payload: string;
}

const DEFAULT_LIMIT = 500;
const REMOVED = "removed";
// More than can have been written since the last checkpoint.
const LEAP = 1_000_000;

/** Numbers are given under the write lock: the order of numbers is the order of commits, and a reader skips none. */
export class SqliteEvents implements EventLog {
  readonly #db: Transactions;

  constructor(db: Transactions) {
    this.#db = db;
  }

  async append(events: readonly Omit<StoredEvent, "seq">[]): Promise<readonly StoredEvent[]> {
    if (events.length === 0) return [];
    return this.#db.write(() =>
      events.map((event) => {
        const sql = "INSERT INTO events (at, task, type, payload) VALUES (?, ?, ?, ?)";
        const { row } = this.#db.run(sql, event.at, event.task, event.type, JSON.stringify(event.payload ?? null));
        return { ...event, seq: row };
      }),
    );
  }

  async after(
    seq: number,
    { task, limit = DEFAULT_LIMIT }: { readonly task?: string; readonly limit?: number } = {},
  ): Promise<readonly StoredEvent[]> {
    const sql = `SELECT seq, at, task, type, payload FROM events
      WHERE seq > ? ${task === undefined ? "" : "AND task = ?"} ORDER BY seq LIMIT ?`;
    const values = task === undefined ? [seq, limit] : [seq, task, limit];
    const rows = await this.#db.read(() => this.#db.all<Row>(sql, ...values));
    return rows.map((row) => ({ ...row, payload: fromJson(row.payload) }));
  }

  async remove(which: { readonly task: string } | { readonly before: string }, limit: number): Promise<number> {
    if ("task" in which) {
      const sql = "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE task = ? ORDER BY seq LIMIT ?)";
      return this.#db.write(() => this.#db.run(sql, which.task, limit).changes);
    }
    return this.#db.write(() => {
      const oldest = "SELECT seq, at FROM events ORDER BY seq LIMIT ?2";
      // Up to the first that is to stay: what is left has no gap.
      const last = this.#db.get<{ seq: number | null }>(
        `SELECT max(seq) AS seq FROM (${oldest}) WHERE at < ?1
           AND seq < (SELECT coalesce(min(seq), 1e18) FROM (${oldest}) WHERE at >= ?1)`,
        which.before,
        limit,
      )?.seq;
      if (last === null || last === undefined) return 0;
      this.#db.run("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", REMOVED, String(last));
      return this.#db.run("DELETE FROM events WHERE seq <= ?", last).changes;
    });
  }

  async removedUpTo(): Promise<number> {
    const sql = "SELECT value FROM meta WHERE name = ?";
    return this.#db.read(() => Number(this.#db.get<{ value: string }>(sql, REMOVED)?.value ?? 0));
  }

  async last(): Promise<number> {
    const sql = "SELECT seq FROM sqlite_sequence WHERE name = 'events'";
    return this.#db.read(() => this.#db.get<{ seq: number }>(sql)?.seq ?? 0);
  }

  /** A restored store's readers have seen events that it knows nothing of. */
  async leap(): Promise<void> {
    await this.#db.write(() => leapNow(this.#db, LEAP));
  }
}

/**
 * This file is not synced at each commit, so that a loss of power may drop the newest events, which readers have seen.
 * After each start of the machine the numbers leap ahead: what comes next is never hidden behind such a reader's cursor.
 * Where nothing tells such a start, each opening may be the first after one. In place of a file that is gone they begin
 * above all that it can have given: so many a second.
 */
export async function leapAfterBoot(db: Database, isFirst: boolean): Promise<void> {
  const boot = bootId() ?? randomUUID();
  const seen = (): string | undefined => db.get<{ value: string }>("SELECT value FROM meta WHERE name = 'boot'")?.value;
  if ((await db.read(seen)) === boot) return;
  await db.write(() => {
    const before = seen();
    if (before === boot) return;
    if (before !== undefined) leapNow(db, LEAP);
    else if (!isFirst) startAnew(db, Math.floor((Date.now() / 1000) * LEAP));
    db.run("INSERT INTO meta (name, value) VALUES ('boot', ?) ON CONFLICT DO UPDATE SET value = excluded.value", boot);
  });
}

/** Readers of the file that was lost are told so. */
function startAnew(db: Transactions, at: number): void {
  leapNow(db, at);
  db.run("INSERT INTO meta (name, value) VALUES (?, ?)", REMOVED, String(at));
}

function leapNow(db: Transactions, by: number): void {
  const { changes } = db.run("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'events'", by);
  if (changes === 0) db.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)", by);
}
