import type { StoredTask } from "../../src/contracts/store.ts";
import { planRequest } from "../../src/engine/planning/task-engine.ts";
import { resolveTask } from "../../src/engine/workers/resolve.ts";
import type { StoredOutcome } from "../../src/engine/workers/stored-outcome.ts";
import { isHostwrightError } from "../../src/errors/hostwright-error.ts";
import { COMMITS, TASKS } from "../../src/store/tables/tasks.ts";
import { PLACES, SERVERS, type Case } from "./case.ts";
import { judge } from "./judge.ts";
import { Stage, type Sabotage } from "./stage.ts";

const MOST_WORKERS = 12;
const UNFINISHED: readonly string[] = ["queued", "running", "cancelling", "undoing"];

/** Errors with which a task may end, whatever goes wrong around it. */
const ALLOWED: ReadonlySet<unknown> = new Set([
  "HW_RESOURCE_CHANGED",
  "HW_SSH_LOST",
  "HW_SSH_UNREACHABLE",
  "HW_COMMAND_FAILED",
  "HW_COMMAND_TIMEOUT",
  "HW_CANCELLED",
  "HW_INTERRUPTED",
  "HW_STORE_BUSY",
  "HW_TASK_STATE",
]);

/** Plays a case to its end, and gives all that is wrong with it: nothing, if the engine keeps its promises. */
export async function play(plan: Case, sabotage: Sabotage = {}): Promise<readonly string[]> {
  const stage = await Stage.open(plan, sabotage);
  await playOn(stage);
  return stage.wrong.length === 0 ? [] : [...stage.wrong, "What was done:", ...stage.chaos.trail];
}

async function playOn(stage: Stage): Promise<void> {
  const first = await carryOut(stage, "t1");
  if (first === null) return;
  judgeError(stage, first);
  await judge(stage, first);
  if (stage.wrong.length > 0) return;
  if (first.state === "needs-attention") await retry(stage, first.id);
  else if (stage.meddled.size === 0 && stage.left.size === 0) await again(stage, first);
}

/** Submits the case's request and lets one worker after the other work it, until it is finished and all is calm. */
async function carryOut(stage: Stage, id: string): Promise<StoredTask | null> {
  const { store, chaos, tables } = stage;
  const stateOf = (): string => tables.find(TASKS, { id })?.state ?? "";
  const request = { type: "model:work" };
  const at = new Date().toISOString();
  const common = { type: "model:work", request, plan: null, actor: "system", key: null, timeoutMs: null };
  await store.tasks.submit({ id, ...common, createdAt: at });
  stage.watch(id);
  let cancel = new AbortController();
  chaos.onCancel = (told) => {
    if (stateOf() !== "running" || tables.find(COMMITS, { task: id }) !== undefined) return;
    void store.tasks.move(id, ["running"], "cancelling");
    if (told) cancel.abort();
  };
  chaos.onMeddle = ({ server, place }) => {
    const name = SERVERS[server] ?? "";
    const where = PLACES[place] ?? "";
    // What is found when it is planned is no change behind the plan's back.
    if (stage.planOf(id) === null || !UNFINISHED.includes(stateOf())) return;
    stage.meddled.set(`${name} ${where}`, "by hand");
    stage.set(`${name} ${where}`, "by hand");
  };
  for (let workers = 0; ; workers++) {
    const state = stateOf();
    if (!UNFINISHED.includes(state)) break;
    if (workers === MOST_WORKERS) return wrong(stage, `after ${workers} workers it is still ${state}`);
    const { life, worker } = stage.hire();
    cancel = new AbortController();
    try {
      if (state === "queued") await worker.work(id, cancel.signal);
      else await worker.recover(id);
    } catch (error) {
      const isBusy = isHostwrightError(error) && error.code === "HW_STORE_BUSY";
      if (!life.dead && !isBusy) return wrong(stage, `a worker threw ${String(error)}`);
    }
    // Nothing is left of it: it is a process that ended.
    life.dead = true;
  }
  chaos.calm();
  for (const host of stage.hosts) host.endAll();
  // As every worker process does again and again.
  await stage.hire().worker.recoverAll(new AbortController().signal);
  return store.tasks.get(id);
}

function wrong(stage: Stage, what: string): null {
  stage.wrong.push(what);
  return null;
}

function judgeError(stage: Stage, { state, outcome }: StoredTask): void {
  const { refused } = stage.expected;
  const code = (outcome as StoredOutcome).error?.["code"];
  if (state === "succeeded" && refused.size > 0) stage.wrong.push(`was not refused with ${[...refused].join()}`);
  if (state !== "succeeded" && !ALLOWED.has(code) && !refused.has(String(code))) {
    stage.wrong.push(`ended with ${String(code)}: ${String((outcome as StoredOutcome).error?.["message"])}`);
  }
}

/** With nothing more in its way it can be undone, but for what was changed by hand or nobody can tell the outcome of. */
async function retry(stage: Stage, id: string): Promise<void> {
  await resolveTask(stage.hire().worker, stage.store, id, "retry");
  const task = await stage.store.tasks.get(id);
  if (task === null) return;
  const unclear = stage.plan.steps.some((step) => step.kind === "run" && step.unclear);
  const excused = stage.meddled.size > 0 || unclear;
  if (task.state !== "undone" && !excused) stage.wrong.push(`a retry gave ${task.state}`);
  await judge(stage, task);
}

/** The same request once more: planned as empty after a success, and carried out after an undo. */
async function again(stage: Stage, first: StoredTask): Promise<void> {
  const { plan } = stage;
  if (plan.kind === "install" || plan.kind === "delete" || !plan.again) return;
  if (first.state === "undone") {
    const second = await carryOut(stage, "t2");
    if (second !== null && stage.expected.refused.size === 0) {
      if (second.state !== "succeeded") stage.wrong.push(`a second try gave ${second.state}`);
      await judge(stage, second);
    }
    return;
  }
  const { parts, life } = stage.hire();
  const signal = new AbortController().signal;
  const second = await planRequest(parts, { type: "model:work" }, "t3", signal);
  life.dead = true;
  const changing = second.actions.filter((action) => action.kind === "ensure");
  if (changing.length > 0) stage.wrong.push(`planned again it would ${JSON.stringify(changing)}`);
}
