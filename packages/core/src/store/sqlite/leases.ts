import type { Blocker, Lease, LeaseAnswer, LeaseRequest, LeaseStore, TaskState } from "../../contracts/store.ts";
import { NOBODY } from "../holder.ts";
import { HolderWatch } from "../holder-watch.ts";
import { decideLeases, firstFree, wantsAgain, type LeaseDecision, type StandingLease } from "../lease-rules.ts";
import { headsOfLine, lineBefore, placeOf } from "./line.ts";
import { nextNumber } from "./record-changes.ts";
import type { Transactions } from "./transactions.ts";

interface LeaseRow extends Lease {
  readonly state: TaskState | null;
}

const COLUMNS = "scope, task, mode, token, holder, heartbeat, lifeMs";
/** Counter of the tokens, which the journal raises too. */
export const TOKENS = "lease-token";
const NONE: ReadonlySet<string> = new Set();

export class SqliteLeases implements LeaseStore {
  readonly #db: Transactions;
  readonly #watch: HolderWatch = new HolderWatch();
  readonly lifeMs: number;
  /** The state of the file in which nobody was next, and who was passed over then. */
  #nobody = "";

  constructor(db: Transactions, lifeMs: number) {
    this.#db = db;
    this.lifeMs = lifeMs;
  }

  async next(except: ReadonlySet<string>): Promise<string | null> {
    return this.#db.read(() => {
      const now = `${this.#changes()} ${[...except].join()}`;
      if (this.#nobody === now) return null;
      const next = firstFree(this.#standing(), headsOfLine(this.#db, except));
      this.#nobody = next === null ? now : "";
      return next;
    });
  }

  async claim(task: string, holder: string, except: ReadonlySet<string> = NONE): Promise<LeaseAnswer | null> {
    const wanted = (): readonly LeaseRequest[] | null => {
      const place = placeOf(this.#db, task);
      if (place?.state !== "queued") return null;
      return [...(place.scopes ?? []), { scope: `task/${task}`, mode: "exclusive" }];
    };
    // Who is blocked asks again and again: that takes no lock.
    const before = await this.#db.read(() => {
      const scopes = wanted();
      return scopes === null ? null : this.#decide(task, holder, scopes, except, "running");
    });
    if (before === null) return null;
    if ("blockedBy" in before) return { blockedBy: before.blockedBy };
    return this.#db.write(() => {
      const scopes = wanted();
      if (scopes === null) return null;
      const decision = this.#decide(task, holder, scopes, except, "running");
      if ("blockedBy" in decision) return { blockedBy: decision.blockedBy };
      this.#grant(task, decision);
      this.#db.run("UPDATE tasks SET state = 'running' WHERE id = ?", task);
      return { granted: decision.granted };
    });
  }

  async putBack(task: string, holder: string, more: readonly LeaseRequest[]): Promise<boolean> {
    return this.#db.write(() => {
      const had = this.#db.all<LeaseRequest>("SELECT scope, mode FROM leases WHERE task = ? ORDER BY scope", task);
      const { changes } = this.#db.run(
        `UPDATE tasks SET state = 'queued', waits = ?2 WHERE id = ?1 AND state = 'running'
           AND EXISTS (SELECT 1 FROM leases WHERE task = ?1 AND holder = ?3)`,
        task,
        JSON.stringify(wantsAgain(task, had, more)),
        holder,
      );
      if (changes === 1) this.#db.run("DELETE FROM leases WHERE task = ?", task);
      return changes === 1;
    });
  }

  async acquire(
    task: string,
    holder: string,
    scopes: readonly LeaseRequest[],
    except: ReadonlySet<string> = NONE,
  ): Promise<LeaseAnswer> {
    const waits = JSON.stringify(scopes);
    const before = await this.#db.read(() => ({
      decision: this.#decide(task, holder, scopes, except),
      inLine: JSON.stringify(placeOf(this.#db, task)?.scopes ?? null),
    }));
    const { decision: first } = before;
    if ("blockedBy" in first && (first.isAnothers || before.inLine === waits)) return { blockedBy: first.blockedBy };
    return this.#db.write(() => {
      const decision = this.#decide(task, holder, scopes, except);
      if ("granted" in decision) {
        this.#grant(task, decision);
        return { granted: decision.granted };
      }
      const line = "UPDATE tasks SET waits = ? WHERE id = ? AND state IN ('running', 'cancelling', 'undoing')";
      if (!decision.isAnothers) this.#db.run(line, waits, task);
      return { blockedBy: decision.blockedBy };
    });
  }

  async waiting(task: string): Promise<readonly Blocker[] | null> {
    return this.#db.read(() => {
      const scopes = placeOf(this.#db, task)?.scopes ?? null;
      if (scopes === null) return null;
      const holder = this.#db.get<{ holder: string }>("SELECT holder FROM leases WHERE task = ? LIMIT 1", task)?.holder;
      const decision = this.#decide(task, holder ?? "", scopes, NONE, "running");
      return "blockedBy" in decision ? decision.blockedBy : [];
    });
  }

  async heartbeat(task: string, holder: string): Promise<boolean> {
    const sql = "UPDATE leases SET heartbeat = heartbeat + 1 WHERE task = ? AND holder = ?";
    return this.#db.write(() => this.#db.run(sql, task, holder).changes > 0);
  }

  async handOver(task: string, holder: string): Promise<void> {
    const sql = "UPDATE leases SET holder = ? WHERE task = ? AND holder = ?";
    await this.#db.write(() => this.#db.run(sql, NOBODY, task, holder));
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

  async lastToken(): Promise<number> {
    return this.#db.read(() => lastToken(this.#db));
  }

  #decide(
    task: string,
    holder: string,
    scopes: readonly LeaseRequest[],
    except: ReadonlySet<string>,
    as?: TaskState,
  ): LeaseDecision {
    const { place = Infinity, state = null } = placeOf(this.#db, task) ?? {};
    const line = lineBefore(this.#db, task, except);
    const request = { task, holder, scopes, place, state: as ?? state, lifeMs: this.lifeMs };
    return decideLeases(this.#standing(), line, request, lastToken(this.#db) + 1);
  }

  #grant(task: string, { own, dropped }: Extract<LeaseDecision, { readonly granted: unknown }>): void {
    nextToken(this.#db);
    // Its own lease stays, by which others find that nobody has told of its end.
    const others = "DELETE FROM leases WHERE task = ?1 AND holder = ?2 AND scope <> 'task/' || ?1";
    for (const lease of dropped) this.#db.run(others, lease.task, lease.holder);
    for (const lease of own) this.#put(lease);
    this.#db.run("UPDATE tasks SET waits = NULL WHERE id = ?", task);
  }

  #standing(): readonly StandingLease[] {
    const rows = this.#db
      .all<LeaseRow>(
        `SELECT ${COLUMNS}, (SELECT state FROM tasks WHERE id = leases.task) AS state FROM leases ORDER BY scope, task`,
      )
      .map(({ state, ...lease }) => ({ lease, state }));
    const dead = this.#watch.dead(rows.map(({ lease }) => lease));
    return rows.map((one) => ({ ...one, dead: dead.has(one.lease) }));
  }

  /** Another value after each change of the file, by whatever process. */
  #changes(): string {
    const others = this.#db.get<{ data_version: number }>("PRAGMA data_version")?.data_version;
    const own = this.#db.get<{ changes: number }>("SELECT total_changes() AS changes")?.changes;
    return `${others} ${own}`;
  }

  #put(lease: Lease): void {
    this.#db.run(
      `INSERT INTO leases (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET mode = excluded.mode, token = excluded.token, holder = excluded.holder,
         heartbeat = excluded.heartbeat, lifeMs = excluded.lifeMs`,
      lease.scope,
      lease.task,
      lease.mode,
      lease.token,
      lease.holder,
      lease.heartbeat,
      lease.lifeMs,
    );
  }
}

/** The lease of a task that ended without a worker, for who tells of it. */
export function grantOwn(db: Transactions, task: string, holder: string): void {
  const columns = "scope, task, mode, token, holder, heartbeat";
  const sql = `INSERT INTO leases (${columns}) VALUES (?, ?, 'exclusive', ?, ?, 0)`;
  db.run(sql, `task/${task}`, task, nextToken(db), holder);
}

function nextToken(db: Transactions): number {
  return nextNumber(db, TOKENS, lastToken(db) + 1);
}

function lastToken(db: Transactions): number {
  return db.get<{ value: number }>("SELECT value FROM counters WHERE name = ?", TOKENS)?.value ?? 0;
}
