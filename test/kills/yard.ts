import { join } from "node:path";
import { isHostwrightError, type Task } from "@hostwright/core";
import { OTHER_HOST, startLiving } from "../crash/arrangements.ts";
import { diffSnapshots, takeSnapshot, type Snapshot } from "../crash/snapshot.ts";
import type { LivingServer } from "../support/living-server.ts";
import { WorkerPack } from "../support/worker-pack.ts";
import { follow, judgeServers, judgeTelling, outcomeOf, toldTwice, type Ended } from "./judge.ts";
import { MOVES } from "./moves.ts";
import type { Round } from "./round.ts";
import { BEGINNING, NEW_SITE, nameOf, reach, type Standing } from "./standing.ts";
import { strike, type Struck } from "./strike.ts";
import type { Order } from "./worker.ts";

type Hosts = readonly string[];

const LEASE_MS = 3_000;
const WORKERS = 2;
const WORKER = join(import.meta.dirname, "worker.ts");
/** Hosts that are looked at: the second one changes only when a database moves. */
const [WEB, BOTH]: readonly [Hosts, Hosts] = [["web1"], ["web1", OTHER_HOST]];
/** Until it is known. */
const TYPICAL_MS = 2_500;

/** What came of a round. */
export interface Played extends Omit<Struck, "done" | "replaced"> {
  /** Tasks whose end was told more than once. */
  readonly toldTwice: number;
  readonly story: readonly string[];
  /** Empty: all is whole. */
  readonly problems: readonly string[];
}

/** A living server whose tasks are worked by two processes that die and stop, one round after the other. */
export class KillYard implements AsyncDisposable {
  #living: LivingServer;
  #pack: WorkerPack;
  /** How servers and store look, by their standing and what is looked at. */
  readonly #known = new Map<string, Snapshot>();
  readonly #typical = new Map<string, number>();
  #standing: Standing | null = null;

  private constructor(living: LivingServer, pack: WorkerPack) {
    this.#living = living;
    this.#pack = pack;
  }

  static async start(): Promise<KillYard> {
    const yard = new KillYard(...(await openYard()));
    await yard.#begin();
    return yard;
  }

  async play(round: Round): Promise<Played> {
    try {
      return await this.#play(round);
    } catch (error) {
      const story = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
      if (isHostwrightError(error) && error.output !== undefined) story.push(error.output);
      return {
        kills: 0,
        stops: 0,
        recoverKills: 0,
        undoKills: 0,
        toldTwice: 0,
        story,
        problems: ["the round came to no end"],
      };
    }
  }

  /** After a round that failed: what it left must not fail the next one. */
  async renew(): Promise<void> {
    if (await this.#isRepaired()) return;
    this.#known.clear();
    this.#standing = null;
    await this[Symbol.asyncDispose]();
    [this.#living, this.#pack] = await openYard();
    await this.#begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pack[Symbol.asyncDispose]().catch(() => undefined);
    await this.#living[Symbol.asyncDispose]();
  }

  /** What arrangements leave for good is there before anything is compared. */
  async #begin(): Promise<void> {
    // The first account that a cache ever had, too.
    await reach(this.#living, { ...BEGINNING, site: { ...NEW_SITE, rules: "taken" } });
    for (const { name, request, prepare } of MOVES) {
      if (prepare === undefined) continue;
      await prepare(this.#living);
      const started = performance.now();
      await this.#living.hw.run(request);
      this.#typical.set(name, performance.now() - started);
    }
    await this.#learn(BEGINNING, BOTH);
  }

  /** Undisturbed tasks brought everything back to the beginning. */
  async #isRepaired(): Promise<boolean> {
    const wanted = this.#known.get(keyOf(BEGINNING, BOTH));
    try {
      await this.#to(BEGINNING);
      const problems = await judgeServers(this.#living, BEGINNING);
      return wanted !== undefined && problems.length === 0 && diffSnapshots(wanted, await this.#look(BOTH)) === "";
    } catch {
      return false;
    }
  }

  async #play(round: Round): Promise<Played> {
    const living = this.#living;
    const [first] = round.moves;
    await this.#to(round.begins);
    await first.prepare?.(living);
    const hosts = round.moves.some(({ twoHosts }) => twoHosts === true) ? BOTH : WEB;
    const disturbed = first.prepare === undefined || first.stays === true ? null : await this.#look(hosts);
    const tasks: Task[] = [];
    for (const { request } of round.moves) tasks.push(await living.hw.submit(request));
    const typicalMs = this.#typical.get(first.name) ?? TYPICAL_MS;
    const struck = await strike(
      { living, pack: this.#pack, task: tasks[0] as Task, leaseMs: LEASE_MS, typicalMs },
      round,
    );
    this.#standing = null;
    const ended: Ended[] = [];
    for (const [index, task] of tasks.entries())
      ended.push({ move: round.moves[index] ?? first, task, outcome: await outcomeOf(task) });
    this.#learnTime(first.name, struck, living.state.msOf((tasks[0] as Task).id));

    const problems: string[] = [];
    const standing = follow(round.begins, ended, problems);
    problems.push(...(await judgeTelling(living, ended)));
    if (first.prepare !== undefined && ended[0]?.outcome.state === "undone") {
      if (disturbed !== null) problems.push(...differing("taken back", disturbed, await this.#look(hosts)));
      await living.hw.run(first.request);
    }
    const [found, left] = await Promise.all([this.#look(hosts), judgeServers(living, standing), struck.replaced]);
    const known = this.#known.get(keyOf(standing, hosts));
    if (known !== undefined) problems.push(...differing(nameOf(standing), known, found));
    problems.push(...left);
    // Only where nobody looked before: an undisturbed way there tells how it should look.
    if (known === undefined && problems.length === 0)
      problems.push(...differing(nameOf(standing), await this.#learn(standing, hosts), found));
    if (problems.length === 0) this.#standing = standing;
    const ends = ended.map(
      ({ move, task, outcome }) =>
        `${move.name} (${task.id}): ${outcome.state}${outcome.error === null ? "" : ` ${outcome.error.code}`}`,
    );
    const { done, replaced: _replaced, ...counts } = struck;
    return { ...counts, toldTwice: toldTwice(living, ended), story: [...done, ...ends], problems };
  }

  async #to(standing: Standing): Promise<void> {
    if (this.#standing !== null && nameOf(this.#standing) === nameOf(standing)) return;
    await reach(this.#living, standing);
    this.#standing = standing;
  }

  async #learn(standing: Standing, hosts: Hosts): Promise<Snapshot> {
    await reach(this.#living, { ...standing, site: null });
    await reach(this.#living, standing);
    this.#standing = standing;
    const snapshot = await this.#look(hosts);
    this.#known.set(keyOf(standing, hosts), snapshot);
    return snapshot;
  }

  async #look(hosts: Hosts): Promise<Snapshot> {
    return takeSnapshot(this.#living, { whole: false, hosts });
  }

  #learnTime(name: string, { kills, stops }: Struck, ms: number): void {
    const known = this.#typical.get(name) ?? TYPICAL_MS;
    // Whose worker died or stood still took longer for it.
    if (kills + stops > 0 && ms > known * 2) return;
    this.#typical.set(name, (known + ms) / 2);
  }
}

async function openYard(): Promise<[LivingServer, WorkerPack]> {
  const living = await startLiving({ leaseMs: LEASE_MS });
  const order: Order = { stateDir: living.state.path, leaseMs: LEASE_MS };
  return [living, await WorkerPack.start(WORKER, order, WORKERS)];
}

function keyOf(standing: Standing, hosts: Hosts): string {
  return `${nameOf(standing)}: ${hosts.join(" ")}`;
}

function differing(what: string, wanted: Snapshot, found: Snapshot): readonly string[] {
  const difference = diffSnapshots(wanted, found);
  return difference === "" ? [] : [`not as it is at "${what}":\n${difference}`];
}
