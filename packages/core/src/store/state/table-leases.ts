import type { Blocker, Lease, LeaseAnswer, LeaseRequest, LeaseStore, TaskState } from "../../contracts/store.ts";
import type { ReadRows, Rows, Tables } from "../../contracts/store/tables.ts";
import { NOBODY } from "../holder.ts";
import type { HolderWatch } from "../holder-watch.ts";
import { decideLeases, firstFree, wantsAgain, type LeaseDecision, type Waiting } from "../lease-rules.ts";
import { byText } from "../order.ts";
import { LEASES } from "../tables/leases.ts";
import { lastNumber, nextNumber, TOKENS } from "./counters.ts";
import {
  changeTask,
  headsOfLine,
  inHandsOf,
  leasesOf,
  lineBefore,
  placeOf,
  standingLeases,
  type Placed,
} from "./lease-rows.ts";
import { UNDER_WAY } from "./task-states.ts";

interface Asked {
  readonly task: string;
  readonly placed: Placed | undefined;
  readonly holder: string;
  readonly scopes: readonly LeaseRequest[];
  readonly except: ReadonlySet<string>;
  /** In place of the state that it has. */
  readonly as?: TaskState;
}

const NONE: ReadonlySet<string> = new Set();

export class TableLeases implements LeaseStore {
  readonly #tables: Tables;
  readonly #watch: Pick<HolderWatch, "dead">;
  readonly lifeMs: number;
  /** The state of the tables in which nobody was next, and who was passed over then. */
  #nobody = "";

  constructor(tables: Tables, lifeMs: number, watch: Pick<HolderWatch, "dead">) {
    this.#tables = tables;
    this.#watch = watch;
    this.lifeMs = lifeMs;
  }

  async next(except: ReadonlySet<string>): Promise<string | null> {
    const now = `${await this.#tables.changed()} ${[...except].join()}`;
    if (this.#nobody === now) return null;
    const next = await this.#tables.read(async (rows) => {
      const standing = await standingLeases(rows, this.#watch);
      const isEnough = (heads: readonly Waiting[]): boolean => firstFree(standing, heads) !== null;
      return firstFree(standing, await headsOfLine(rows, except, { isEnough }));
    });
    this.#nobody = next === null ? now : "";
    return next;
  }

  async claim(task: string, holder: string, except: ReadonlySet<string> = NONE): Promise<LeaseAnswer | null> {
    // Who is blocked asks again and again: that takes no lock.
    const before = await this.#tables.read(async (rows) => this.#decideClaim(rows, task, holder, except));
    if (before === null) return null;
    if ("blockedBy" in before) return { blockedBy: before.blockedBy };
    return this.#tables.transact(async (rows) => {
      const decision = await this.#decideClaim(rows, task, holder, except);
      if (decision === null) return null;
      if ("blockedBy" in decision) return { blockedBy: decision.blockedBy };
      await grant(rows, decision);
      await changeTask(rows, task, { state: "running", waits: null });
      return { granted: decision.granted };
    });
  }

  async putBack(task: string, holder: string, more: readonly LeaseRequest[]): Promise<boolean> {
    return this.#tables.transact(async (rows) => {
      const had = await leasesOf(rows, task);
      const state = (await placeOf(rows, task))?.state;
      if (state !== "running" || !had.some((lease) => lease.holder === holder)) return false;
      const inOrder = had.toSorted((a, b) => byText(a.scope, b.scope));
      await changeTask(rows, task, { state: "queued", waits: JSON.stringify(wantsAgain(task, inOrder, more)) });
      await rows.remove(LEASES, had);
      return true;
    });
  }

  async acquire(
    task: string,
    holder: string,
    scopes: readonly LeaseRequest[],
    except: ReadonlySet<string> = NONE,
  ): Promise<LeaseAnswer> {
    const waits = JSON.stringify(scopes);
    const asked = async (rows: ReadRows): Promise<readonly [LeaseDecision, Placed | undefined]> => {
      const placed = await placeOf(rows, task);
      return [await this.#decide(rows, { task, placed, holder, scopes, except }), placed];
    };
    const [first, before] = await this.#tables.read(asked);
    if ("blockedBy" in first && (first.isAnothers || JSON.stringify(before?.scopes) === waits))
      return { blockedBy: first.blockedBy };
    return this.#tables.transact(async (rows) => {
      const [decision, placed] = await asked(rows);
      if ("granted" in decision) {
        await grant(rows, decision);
        await changeTask(rows, task, { waits: null });
        return { granted: decision.granted };
      }
      if (!decision.isAnothers && placed !== undefined && UNDER_WAY.includes(placed.state))
        await changeTask(rows, task, { waits });
      return { blockedBy: decision.blockedBy };
    });
  }

  async waiting(task: string): Promise<readonly Blocker[] | null> {
    return this.#tables.read(async (rows) => {
      const placed = await placeOf(rows, task);
      const scopes = placed?.scopes ?? null;
      if (scopes === null) return null;
      const [own] = await leasesOf(rows, task);
      const holder = own?.holder ?? "";
      const decision = await this.#decide(rows, { task, placed, holder, scopes, except: NONE, as: "running" });
      return "blockedBy" in decision ? decision.blockedBy : [];
    });
  }

  async heartbeat(task: string, holder: string): Promise<boolean> {
    return this.#tables.transact(async (rows) => {
      const own = await leasesOf(rows, task, holder);
      const beaten = own.map((lease) => ({ ...lease, heartbeat: lease.heartbeat + 1 }));
      await rows.put(LEASES, beaten);
      return own.length > 0;
    });
  }

  async handOver(task: string, holder: string): Promise<void> {
    await this.#tables.transact(async (rows) =>
      rows.put(LEASES, inHandsOf(NOBODY, await leasesOf(rows, task, holder))),
    );
  }

  async release(task: string, scopes?: readonly string[], holder?: string): Promise<void> {
    await this.#tables.transact(async (rows) => {
      const own = await leasesOf(rows, task, holder);
      const named = own.filter(({ scope }) => scopes?.includes(scope) ?? true);
      await rows.remove(LEASES, named);
    });
  }

  async list(): Promise<readonly Lease[]> {
    return this.#tables.read(async (rows) => rows.list(LEASES, {}));
  }

  async lastToken(): Promise<number> {
    return this.#tables.read(async (rows) => lastNumber(rows, TOKENS));
  }

  /** Null when it is not queued. */
  async #decideClaim(
    rows: ReadRows,
    task: string,
    holder: string,
    except: ReadonlySet<string>,
  ): Promise<LeaseDecision | null> {
    const placed = await placeOf(rows, task);
    if (placed?.state !== "queued") return null;
    const scopes = [...(placed.scopes ?? []), { scope: `task/${task}`, mode: "exclusive" } as const];
    return this.#decide(rows, { task, placed, holder, scopes, except, as: "running" });
  }

  async #decide(rows: ReadRows, { task, placed, holder, scopes, except, as }: Asked): Promise<LeaseDecision> {
    const { place = Infinity, state = null } = placed ?? {};
    const standing = await standingLeases(rows, this.#watch);
    const line = await lineBefore(
      rows,
      placed,
      except,
      standing.some(({ lease }) => lease.task === task),
    );
    const request = { task, holder, scopes, place, state: as ?? state, lifeMs: this.lifeMs };
    return decideLeases(standing, line, request, (await lastNumber(rows, TOKENS)) + 1);
  }
}

async function grant(
  rows: Rows,
  { own, dropped }: Extract<LeaseDecision, { readonly granted: unknown }>,
): Promise<void> {
  await nextNumber(rows, TOKENS, 1);
  // Its own lease stays, by which others find that nobody has told of its end.
  const of = dropped.map(({ task, holder }) => ({ task, holder }));
  const others = (await rows.list(LEASES, { by: "task", of })).filter(({ scope, task }) => scope !== `task/${task}`);
  await rows.remove(LEASES, others);
  await rows.put(LEASES, own);
}
