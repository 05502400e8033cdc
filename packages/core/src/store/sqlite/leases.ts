import type { Blocker, Lease, LeasePlace, LeaseRequest, LeaseStore, TaskState } from "../../contracts/store.ts";
import { NOBODY } from "../holder.ts";
import { HolderWatch } from "../holder-watch.ts";
import {
  decideLeases,
  type AskForLeases,
  type LeaseDecision,
  type StandingLease,
  type StandingPlace,
} from "../lease-rules.ts";
import type { Database } from "./database.ts";
import { nextNumber } from "./records.ts";

interface LeaseRow extends Lease {
  readonly state: TaskState | null;
}

interface PlaceRow extends Omit<LeasePlace, "scopes"> {
  readonly scopes: string;
  readonly state: TaskState | null;
}

const COLUMNS = "scope, task, mode, token, holder, heartbeat";
/** Counter of the tokens, which the journal raises too. */
export const TOKENS = "lease-token";
const PLACES = "lease-place";

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
  ): Promise<{ readonly granted: readonly Lease[] } | { readonly blockedBy: readonly Blocker[] }> {
    const request = { task, holder, scopes };
    // Who is blocked asks again and again: that takes no lock.
    const before = await this.#db.read(() => this.#decide(request));
    if ("blockedBy" in before && before.place === null) return { blockedBy: before.blockedBy };
    return this.#db.write(() => {
      const decision = this.#decide(request);
      if ("blockedBy" in decision) {
        if (decision.place !== null) this.#putPlace(decision.place);
        return { blockedBy: decision.blockedBy };
      }
      nextNumber(this.#db, TOKENS, this.#lastToken() + 1);
      for (const lease of decision.dropped) {
        this.#db.run("DELETE FROM leases WHERE task = ? AND holder = ?", lease.task, lease.holder);
      }
      for (const lease of decision.own) this.#put(lease);
      for (const left of decision.left) this.#db.run("DELETE FROM lease_places WHERE task = ?", left);
      return { granted: decision.granted };
    });
  }

  async waiting(task: string): Promise<readonly Blocker[] | null> {
    return this.#db.read(() => {
      const [standing, places] = this.#standing();
      const place = places.find((one) => one.place.task === task)?.place;
      if (place === undefined) return null;
      const decision = decideLeases(standing, places, place, 0);
      return "blockedBy" in decision ? decision.blockedBy : [];
    });
  }

  async heartbeat(task: string, holder: string): Promise<boolean> {
    return this.#db.write(() => {
      const beat = (table: string): number =>
        this.#db.run(`UPDATE ${table} SET heartbeat = heartbeat + 1 WHERE task = ? AND holder = ?`, task, holder)
          .changes;
      beat("lease_places");
      return beat("leases") > 0;
    });
  }

  async handOver(task: string, holder: string): Promise<void> {
    await this.#db.write(() => {
      for (const table of ["leases", "lease_places"])
        this.#db.run(`UPDATE ${table} SET holder = ? WHERE task = ? AND holder = ?`, NOBODY, task, holder);
    });
  }

  async release(task: string, scopes?: readonly string[], holder?: string): Promise<void> {
    await this.#db.write(() => {
      this.#db.run(
        `DELETE FROM leases WHERE task = ?1 AND (?2 IS NULL OR scope IN (SELECT value FROM json_each(?2)))
           AND (?3 IS NULL OR holder = ?3)`,
        task,
        scopes === undefined ? null : JSON.stringify(scopes),
        holder ?? null,
      );
      if (scopes !== undefined) return;
      this.#db.run("DELETE FROM lease_places WHERE task = ?1 AND (?2 IS NULL OR holder = ?2)", task, holder ?? null);
    });
  }

  async list(): Promise<readonly Lease[]> {
    const sql = `SELECT ${COLUMNS} FROM leases ORDER BY scope, task`;
    return (await this.#db.read(() => this.#db.all<Lease>(sql))).map((row) => ({ ...row }));
  }

  async lastToken(): Promise<number> {
    return this.#db.read(() => this.#lastToken());
  }

  #decide(request: AskForLeases): LeaseDecision {
    const [standing, places] = this.#standing();
    return decideLeases(standing, places, request, this.#lastToken() + 1);
  }

  #standing(): readonly [readonly StandingLease[], readonly StandingPlace[]] {
    const state = (table: string): string => `(SELECT state FROM tasks WHERE id = ${table}.task) AS state`;
    const leases = this.#db
      .all<LeaseRow>(`SELECT ${COLUMNS}, ${state("leases")} FROM leases ORDER BY scope, task`)
      .map(({ state: its, ...lease }) => ({ lease, state: its }));
    const places = this.#db
      .all<PlaceRow>(
        `SELECT task, place, holder, scopes, heartbeat, ${state("lease_places")} FROM lease_places ORDER BY place`,
      )
      .map(({ state: its, scopes, ...place }) => ({
        place: { ...place, scopes: JSON.parse(scopes) as readonly LeaseRequest[] },
        state: its,
      }));
    const dead = this.#watch.dead([...leases.map(({ lease }) => lease), ...places.map(({ place }) => place)]);
    return [
      leases.map((one) => ({ ...one, dead: dead.has(one.lease) })),
      places.map((one) => ({ ...one, dead: dead.has(one.place) })),
    ];
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

  /** A task that has a place keeps its number. */
  #putPlace({ task, holder, scopes }: Pick<LeasePlace, "task" | "holder" | "scopes">): void {
    const wanted = JSON.stringify(scopes);
    const sql = "UPDATE lease_places SET holder = ?, scopes = ?, heartbeat = heartbeat + 1 WHERE task = ?";
    if (this.#db.run(sql, holder, wanted, task).changes > 0) return;
    const place = nextNumber(this.#db, PLACES, 1);
    this.#db.run("INSERT INTO lease_places VALUES (?, ?, ?, ?, 0)", task, place, holder, wanted);
  }
}
