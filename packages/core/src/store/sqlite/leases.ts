import type { Lease, LeaseRequest, LeaseStore, TaskState } from "../../contracts/store.ts";
import { HolderWatch } from "../holder-watch.ts";
import { decideLeases, type StandingLease } from "../lease-rules.ts";
import type { Database } from "./database.ts";
import { nextNumber } from "./records.ts";

interface Row extends Lease {
  readonly state: TaskState | null;
}

const COLUMNS = "scope, task, mode, token, holder, heartbeat";
const TOKENS = "lease-token";

export class SqliteLeases implements LeaseStore {
  readonly #db: Database;
  readonly #watch: HolderWatch;

  constructor(db: Database, timeToLiveMs: number) {
    this.#db = db;
    this.#watch = new HolderWatch(timeToLiveMs);
  }

  async acquire(
    task: string,
    holder: string,
    scopes: readonly LeaseRequest[],
  ): Promise<{ readonly granted: readonly Lease[] } | { readonly blockedBy: readonly Lease[] }> {
    return this.#db.write(() => {
      const token = this.#lastToken() + 1;
      const decision = decideLeases(this.#standing(), { task, holder, scopes }, token);
      // Who is blocked asks again and again: that writes nothing.
      if ("blockedBy" in decision) return decision;
      nextNumber(this.#db, TOKENS, token);
      for (const lease of decision.dropped) {
        this.#db.run("DELETE FROM leases WHERE task = ? AND holder = ?", lease.task, lease.holder);
      }
      for (const lease of decision.own) this.#put(lease);
      return { granted: decision.granted };
    });
  }

  async heartbeat(task: string, holder: string): Promise<boolean> {
    const sql = "UPDATE leases SET heartbeat = heartbeat + 1 WHERE task = ? AND holder = ?";
    const { changes } = await this.#db.write(() => this.#db.run(sql, task, holder));
    return changes > 0;
  }

  async release(task: string, scopes?: readonly string[], holder?: string): Promise<void> {
    await this.#db.write(() =>
      this.#db.run(
        `DELETE FROM leases WHERE task = ?1 AND (?2 IS NULL OR scope IN (SELECT value FROM json_each(?2)))
           AND (?3 IS NULL OR holder = ?3)`,
        task,
        scopes === undefined ? null : JSON.stringify(scopes),
        holder ?? null,
      ),
    );
  }

  async list(): Promise<readonly Lease[]> {
    const sql = `SELECT ${COLUMNS} FROM leases ORDER BY scope, task`;
    return (await this.#db.read(() => this.#db.all<Lease>(sql))).map((row) => ({ ...row }));
  }

  #standing(): readonly StandingLease[] {
    const rows = this.#db.all<Row>(
      `SELECT ${COLUMNS}, (SELECT state FROM tasks WHERE id = leases.task) AS state FROM leases ORDER BY scope, task`,
    );
    const leases = rows.map(({ state, ...lease }) => ({ lease, state }));
    const dead = this.#watch.dead(leases.map(({ lease }) => lease));
    return leases.map(({ lease, state }) => ({ lease, state, dead: dead.has(lease) }));
  }

  #lastToken(): number {
    return this.#db.get<{ value: number }>("SELECT value FROM counters WHERE name = ?", TOKENS)?.value ?? 0;
  }

  #put(lease: Lease): void {
    this.#db.run(
      `INSERT INTO leases (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET mode = excluded.mode, token = excluded.token, holder = excluded.holder,
         heartbeat = excluded.heartbeat`,
      lease.scope,
      lease.task,
      lease.mode,
      lease.token,
      lease.holder,
      lease.heartbeat,
    );
  }
}
