import { mkdtemp, rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalRow, RegisteredResource } from "../../packages/core/src/contracts/store.ts";
import { sealPlan } from "../../packages/core/src/engine/planning/seal-plan.ts";
import { planRequest } from "../../packages/core/src/engine/planning/task-engine.ts";
import type { Step } from "../../packages/core/src/contracts/steps.ts";
import { newId } from "../../packages/core/src/model/ids.ts";
import { STORE_MIGRATIONS } from "../../packages/core/src/store/sqlite/schema.ts";
import { runStep } from "../../packages/core/test/fake-engine.ts";
import { FakeWorker, file, NEVER, request } from "../../packages/core/test/fake-worker.ts";
import { quantile, rounded } from "./figures.ts";

/** Of the kind of action to which the engine adds most. */
export interface JournalFigures {
  readonly actions: number;
  readonly perActionMs: number;
  readonly bareCommitMs: number;
  readonly overheadMs: number;
}

interface Kind {
  readonly name: string;
  step(index: number): Step;
  /** Times at which the engine came to each action. */
  readonly turns: number[];
}

const ROUNDS = 7;

/**
 * Times what the engine adds to an action that changes nothing: a worker carries out plans of them over the real store
 * and a server that answers at once, and the rows that it wrote are written again, one commit an action, by hand. The
 * two take turns, so that a disk which is slower now is so for both.
 */
export async function benchJournal(actions: number, say: (line: string) => void): Promise<JournalFigures> {
  await using fake = await FakeWorker.open();
  const folder = await mkdtemp(join(tmpdir(), "hostwright-bench-"));
  const byHand = new ByHand(join(folder, "store.db"));
  try {
    const kinds = [standing(fake), idle(fake)];
    const times = new Map(
      kinds.map((kind) => [kind, { engine: [] as number[], bare: [] as number[], cpu: [] as number[] }]),
    );
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [kind, { engine, bare, cpu }] of times) {
        const { task, cpuMs } = await carryOut(fake, kind, actions);
        const rows = [await fake.engine.store.journal.read(task), await fake.engine.registered("web1")] as const;
        const before = process.cpuUsage();
        const written = byHand.write(...rows);
        const bareCpuMs = milliseconds(process.cpuUsage(before));
        // The first round warms up.
        if (round === 0) continue;
        engine.push(...intervals(kind.turns));
        bare.push(...written);
        cpu.push((cpuMs - bareCpuMs) / actions);
      }
    }
    const figures = [...times].map(([kind, { engine, bare, cpu }]) => {
      say(line(kind.name, engine));
      say(line("  its rows in a bare durable commit", bare));
      say(`  the engine adds ${quantile(cpu, 0.5).toFixed(3)} ms of CPU, its task's beginning and end among them`);
      const [perActionMs, bareCommitMs] = [quantile(engine, 0.5), quantile(bare, 0.5)];
      return {
        actions: engine.length,
        perActionMs: rounded(perActionMs, 3),
        bareCommitMs: rounded(bareCommitMs, 3),
        overheadMs: rounded(perActionMs - bareCommitMs, 3),
      };
    });
    const [worst] = figures.toSorted((a, b) => b.overheadMs - a.overheadMs);
    if (worst === undefined) throw new Error("nothing was timed");
    return worst;
  } finally {
    byHand.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Was planned to be made, and stands as wanted when its turn comes. */
function standing(fake: FakeWorker): Kind {
  const turns: number[] = [];
  const type = fake.engine.registry.resourceType("file");
  const { read } = type;
  Object.assign(type, {
    read: async (...args: Parameters<typeof read>) => {
      if (args[2].contents) turns.push(performance.now());
      return read(...args);
    },
  });
  return { name: "ensure what stands", step: (index) => file(`/${index}`), turns };
}

/** An operation that does nothing. */
function idle(fake: FakeWorker): Kind {
  const turns: number[] = [];
  fake.engine.operation("nothing", { run: async () => void turns.push(performance.now()) });
  return { name: "run nothing", step: () => runStep("web1", "nothing"), turns };
}

async function carryOut(
  fake: FakeWorker,
  kind: Kind,
  actions: number,
): Promise<{ readonly task: string; readonly cpuMs: number }> {
  const { store, box } = fake.engine;
  fake.drafts.set("bench", { steps: Array.from({ length: actions }, (_, index) => kind.step(index)) });
  fake.world.states("web1").clear();
  await store.register.remove(await fake.engine.registered("web1"));
  const id = newId("t", 16);
  const plan = await planRequest(fake.parts, request("bench"), id, NEVER);
  for (const { changes } of plan.actions.filter((action) => action.kind === "ensure")) {
    for (const { key } of changes) fake.world.states("web1").set(`file ${key}`, { value: "x" });
  }
  await fake.submit("bench", { id, plan: await sealPlan(box, plan) });
  kind.turns.splice(0);
  const before = process.cpuUsage();
  const outcome = await fake.worker.work(id, NEVER);
  const cpuMs = milliseconds(process.cpuUsage(before));
  if (outcome?.state !== "succeeded" || fake.world.effects.length > 0 || kind.turns.length !== actions) {
    throw new Error(`the bench's own task went wrong: ${JSON.stringify(outcome)}`);
  }
  return { task: id, cpuMs };
}

/** The same tables in a file of their own on the same disk. */
class ByHand {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    for (const migration of STORE_MIGRATIONS) this.#db.exec(migration);
  }

  /** Milliseconds of each commit: an outcome with the next intent, and what that intent registers. */
  write(journal: readonly JournalRow[], register: readonly RegisteredResource[]): readonly number[] {
    const [begin, commit] = [this.#db.prepare("BEGIN IMMEDIATE"), this.#db.prepare("COMMIT")];
    const row = this.#db.prepare("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    const hold = this.#db.prepare("INSERT INTO register VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    return journal.flatMap((intent, index) => {
      if (intent.state !== "begun") return [];
      const started = performance.now();
      begin.run();
      for (const one of [journal[index - 1], intent]) {
        if (one === undefined) continue;
        const { task, action, phase, state, attempt, undo, output, at } = one;
        const number = 2 * action + Number(state === "done");
        row.run(task, number, action, phase, state, attempt, undo, JSON.stringify(output), at);
      }
      const held = register[intent.action];
      if (held !== undefined) {
        const { server, type, key, owner, shared, hash } = held;
        hold.run(server, type, `${key} ${intent.task}`, owner, Number(shared), hash);
      }
      commit.run();
      return [performance.now() - started];
    });
  }

  close(): void {
    this.#db.close();
  }
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

function intervals(turns: readonly number[]): readonly number[] {
  return turns.slice(1).map((turn, index) => turn - (turns[index] ?? Number.NaN));
}

function line(name: string, times: readonly number[]): string {
  const [middle, high] = [quantile(times, 0.5), quantile(times, 0.95)];
  return `${name}: median ${middle.toFixed(3)} ms, 95 % below ${high.toFixed(3)} ms (${times.length})`;
}
