import type { RegisteredResource, RegisterStore } from "../../src/contracts/store.ts";
import type { Action, PlannedChange } from "../../src/engine/planning/plan.ts";
import { planSteps, type Planned } from "../../src/engine/planning/plan-steps.ts";
import { Registry } from "../../src/engine/plugins/registry.ts";
import { ServerPool } from "../../src/engine/sessions/server-pool.ts";
import { Session } from "../../src/engine/sessions/session.ts";
import type { EnsureStep } from "../../src/contracts/steps.ts";
import { isHostwrightError } from "../../src/errors/hostwright-error.ts";
import { Secret } from "../../src/model/secret.ts";
import { REGISTER } from "../../src/store/tables/register.ts";
import { MemoryKernel } from "../memory-store/memory-kernel.ts";
import { memoryStore } from "../memory-store/memory-store.ts";
import { Chaos, Life } from "./chaos.ts";
import { serverRecord } from "./model-task.ts";
import { MODEL_TYPES } from "./model-types.ts";
import { ModelHost, ModelServer } from "./model-world.ts";
import { answerOf, placeOf, rankOf, type PlanCase } from "./plan-model.ts";

const REGISTRY = new Registry([], MODEL_TYPES);

/** Servers and a register as a case has them, and a planner over both. */
class Desk {
  readonly hosts = new Map(["web0", "db0"].map((name) => [name, new ModelHost(name, [])]));
  readonly kernel = new MemoryKernel();
  readonly store = memoryStore(this.kernel);
  readonly #register: RegisterStore;

  constructor(sabotage: (register: RegisterStore) => RegisterStore) {
    this.#register = sabotage(this.store.register);
  }

  async fill({ start }: PlanCase): Promise<void> {
    for (const { server, type, name, value, owners } of start) {
      this.hosts.get(server)?.things.set(`${type} ${name}`, { value });
      const row = { server, type, key: name, shared: name === "shared", hash: hashOf(type, value) };
      await this.store.register.put(owners.map((owner) => ({ ...row, owner })));
    }
  }

  async plan({ steps }: PlanCase): Promise<Planned> {
    const [chaos, life] = [new Chaos([]), new Life("planner")];
    const pool = new ServerPool(
      async ({ name }) => new ModelServer(this.hosts.get(name) ?? new ModelHost(name, []), 0, chaos, life),
      async () => new Secret(""),
    );
    const { signal } = new AbortController();
    // Without a fence: whoever changes something while planning is refused.
    await using session = new Session({ pool, load: async () => new Map(), fence: null, signal });
    const planner = {
      registry: REGISTRY,
      register: this.#register,
      session,
      fingerprint: (text: string) => text,
      version: () => undefined,
      pendingPublication: async () => ({ waits: false, quarantined: [] }),
    };
    return await planSteps(planner, steps.map(stepOf));
  }

  /** Does what the plan says, one change after the other; gives what is wrong with it. */
  async carryOut({ actions, register }: Planned): Promise<string[]> {
    const wrong: string[] = [];
    for (const action of actions) {
      if (action.kind !== "ensure") continue;
      wrong.push(...orderOf(action));
      for (const change of action.changes) wrong.push(...this.#change(action.server, change));
      const made = action.changes.filter((change) => change.after !== null);
      const gone = action.changes.filter((change) => change.after === null);
      await this.store.register.remove(gone.map((change) => rowOf(action.server, change, null)));
      await this.store.register.put(made.map((change) => rowOf(action.server, change, change.after)));
    }
    const gone = register.filter((row) => row.gone);
    await this.store.register.remove(gone.map((row) => rowOf(row.server, row, row.hash)));
    await this.store.register.put(register.filter((row) => !row.gone).map((row) => rowOf(row.server, row, row.hash)));
    return wrong;
  }

  shown(): string {
    const things = [...this.hosts].flatMap(([server, { things: list }]) =>
      [...list].map(([place, { value }]) => `${server} ${place}=${value}`),
    );
    return things.toSorted().join(", ");
  }

  #change(server: string, { type, key, before, after, owner, spec }: PlannedChange): string[] {
    const things = this.hosts.get(server)?.things ?? new Map<string, { value: string }>();
    const place = `${type} ${key}`;
    const now = things.get(place);
    const wrong: string[] = [];
    if (before !== (now === undefined ? null : hashOf(type, now.value))) wrong.push(`${place} is guarded wrongly`);
    if (after === null && this.kernel.tables.find(REGISTER, { server, type, key, owner }) === undefined) {
      wrong.push(`${place} is removed, and not registered for ${owner}`);
    }
    if (after === null) things.delete(place);
    else things.set(place, { value: (spec as { value: string }).value });
    return wrong;
  }
}

/** Plans a case against its answer; what is planned once is planned as nothing the second time. */
export async function playPlan(
  plan: PlanCase,
  sabotage: (register: RegisterStore) => RegisterStore = (register) => register,
): Promise<readonly string[]> {
  const answer = answerOf(plan);
  const desk = new Desk(sabotage);
  await desk.fill(plan);
  const before = desk.shown();
  let planned: Planned;
  try {
    planned = await desk.plan(plan);
  } catch (error) {
    const code = isHostwrightError(error) ? error.code : String(error);
    const wrong = answer.refused.has(code) ? [] : [`refused with ${code}`];
    return desk.shown() === before ? wrong : [...wrong, "was refused, and changed something"];
  }
  if (answer.refused.size > 0) return [`was not refused with ${[...answer.refused].join()}`];
  const wrong = desk.shown() === before ? [] : ["planning changed something"];
  wrong.push(...(await desk.carryOut(planned)));
  const wanted = [...answer.world].map(([at, value]) => `${at}=${value}`).toSorted();
  if (desk.shown() !== wanted.join(", ")) wrong.push(`gives ${desk.shown()}, not ${wanted.join(", ")}`);
  const rows = desk.kernel.tables.all(REGISTER).map((row) => `${placeOf({ ...row, name: row.key })} ${row.owner}`);
  if (rows.toSorted().join() !== [...answer.register].toSorted().join()) {
    wrong.push(`registers ${rows.join(", ")}, not ${[...answer.register].join(", ")}`);
  }
  const again = await desk.plan(plan).catch(String);
  if (typeof again === "string") wrong.push(`planned again it is refused: ${again}`);
  else if (again.actions.length > 0 && answer.isRepeatable)
    wrong.push(`planned again it has ${again.actions.length} actions`);
  return wrong;
}

/** Made by rank, lowest first; removed the other way round, after all that is made. */
function orderOf({ changes }: Extract<Action, { kind: "ensure" }>): string[] {
  const made = changes.filter((change) => change.after !== null).map(({ type }) => rankOf(type));
  const gone = changes.filter((change) => change.after === null).map(({ type }) => rankOf(type));
  const sorted = [...made.toSorted((a, b) => a - b), ...gone.toSorted((a, b) => b - a)];
  return [...made, ...gone].join() === sorted.join() ? [] : [`ranks ${[...made, ...gone].join()} are out of order`];
}

function stepOf({ server, items, remove }: PlanCase["steps"][number]): EnsureStep {
  return {
    kind: "ensure",
    title: server,
    server: serverRecord(server),
    phase: "prepare",
    items: items.map(({ type, name, value, owner }) => ({
      type,
      spec: { key: name, value },
      owner,
      shared: name === "shared",
    })),
    remove: [{ owners: remove }],
  };
}

function rowOf(
  server: string,
  { type, key, owner, shared }: Pick<RegisteredResource, "type" | "key" | "owner" | "shared">,
  hash: string | null,
): RegisteredResource {
  return { server, type, key, owner, shared, hash };
}

function hashOf(type: string, value: string): string {
  return `${type}\n${JSON.stringify({ value })}`;
}
