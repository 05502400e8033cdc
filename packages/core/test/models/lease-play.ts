import type { LeaseStore, TaskState, TaskStore } from "../../src/contracts/store.ts";
import { memoryStore } from "../memory-store/memory-store.ts";
import { MemoryKernel } from "../memory-store/memory-kernel.ts";
import { LeaseModel, type LeaseStep } from "./lease-model.ts";

const SUBMITTED = { type: "x", request: null, plan: null, actor: "system", key: null, timeoutMs: null, createdAt: "" };

const STATES: readonly TaskState[] = ["running", "succeeded", "undone", "needs-attention"];
const ENDING = { outcome: null, finishedAt: "", deleteRecords: [], discards: [], eraseSecrets: [] };

/** Plays a sequence against the real rules; `sabotage` puts broken ones in their place. */
export async function playLeases(
  steps: readonly LeaseStep[],
  sabotage: (leases: LeaseStore) => LeaseStore = (leases) => leases,
): Promise<readonly string[]> {
  const model = new LeaseModel();
  const store = memoryStore(new MemoryKernel(), (holder) => model.dead.has(holder));
  const leases = sabotage(store.leases);
  for (const id of model.states.keys()) {
    await store.tasks.submit({ id, ...SUBMITTED });
    await store.tasks.move(id, ["queued"], "running");
  }
  const wrong: string[] = [];
  let highest = 0;
  for (const [index, step] of steps.entries()) {
    // A dead process asks for nothing.
    if ("holder" in step && step.verb !== "die" && model.dead.has(step.holder)) continue;
    if (step.verb === "ask") {
      const granted = model.grants(step);
      const answer = await leases.acquire(step.task, step.holder, step.scopes);
      if ("granted" in answer !== granted) wrong.push(`step ${index}: ${granted ? "not " : ""}granted`);
      if (granted) model.take(step);
      else model.wait(step);
      const tokens = (await leases.list()).map(({ token }) => token);
      const now = Math.max(highest, ...tokens);
      if ("granted" in answer && answer.granted.some(({ token }) => token > now)) wrong.push(`step ${index}: token`);
      if (now < highest) wrong.push(`step ${index}: the token fell`);
      highest = now;
    } else if (step.verb === "release") {
      model.release(step.task, step.scopes);
      await leases.release(step.task, step.scopes ?? undefined);
    } else if (step.verb === "beat") {
      const has = model.held.some((one) => one.task === step.task && one.holder === step.holder);
      if ((await leases.heartbeat(step.task, step.holder)) !== has) wrong.push(`step ${index}: heartbeat`);
    } else if (step.verb === "die") {
      model.dead.add(step.holder);
    } else {
      model.end(step.task, step.state);
      await store.tasks.end(step.task, STATES, { ...ENDING, state: step.state });
    }
    const standing = (await leases.list()).map((one) => `${one.scope} ${one.mode} ${one.task} ${one.holder}`);
    if (JSON.stringify(standing.toSorted()) !== JSON.stringify(model.shown())) {
      wrong.push(`after step ${index} there stand ${standing.join(", ")}, not ${model.shown().join(", ")}`);
    }
    if (wrong.length > 0) return wrong;
  }
  return starved(model, store.tasks, leases);
}

/**
 * When all others let go, everybody who waits gets its turn. Who has leases and waits for more gives them up first, as the
 * engine does: two of these may wait for each other, and no order of theirs would help.
 */
async function starved(model: LeaseModel, tasks: TaskStore, leases: LeaseStore): Promise<readonly string[]> {
  const waiting = model.queue.map(({ task, scopes }) => ({ task, scopes }));
  for (const task of model.states.keys()) {
    const held = model.held.filter((one) => one.task === task).map(({ scope }) => scope);
    const waits = waiting.some((one) => one.task === task);
    await leases.release(task, held);
    if (!waits) await tasks.end(task, STATES, { ...ENDING, state: "undone" });
  }
  const left = [...waiting];
  while (left.length > 0) {
    let turn = -1;
    for (const [index, { task, scopes }] of left.entries()) {
      if ("granted" in (await leases.acquire(task, "heir", scopes))) {
        turn = index;
        await leases.release(task);
        break;
      }
    }
    if (turn < 0) return [`nobody of ${left.map(({ task }) => task).join(", ")} ever gets its turn`];
    left.splice(turn, 1);
  }
  return [];
}
