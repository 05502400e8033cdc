import { setTimeout as delay } from "node:timers/promises";
import { verify, type Task, type TaskOutcome } from "@hostwright/core";
import { OTHER_HOST } from "../crash/arrangements.ts";
import { unexplained } from "../crash/explained.ts";
import type { LivingServer } from "../support/living-server.ts";
import { strayProcesses } from "../support/moments.ts";
import type { Move } from "./moves.ts";
import { PLANTED } from "./saboteur.ts";
import type { Standing } from "./standing.ts";

/** A move that was asked for, and how it ended. */
export interface Ended {
  readonly move: Move;
  readonly task: Task;
  readonly outcome: TaskOutcome;
}

/** Of an undone task: somebody cancelled it, its worker died in the middle, or it was made to fail. */
const EXPLAINED = new Set(["HW_CANCELLED", "HW_INTERRUPTED"]);
const OUTCOME_MS = 150_000;
const QUIET_MS = 20_000;

/** @throws when the task has no end */
export async function outcomeOf(task: Task): Promise<TaskOutcome> {
  const outcome = await Promise.race([task.outcome(), delay(OUTCOME_MS, null, { ref: false })]);
  if (outcome !== null) return outcome;
  throw new Error(`task ${task.id} has no end ${OUTCOME_MS / 1000} s after all that was done to its workers`);
}

/** How all must stand after tasks that ended so, in the order of their submission; what is wrong with an end is said. */
export function follow(begins: Standing, ended: readonly Ended[], problems: string[]): Standing {
  let standing = begins;
  for (const { move, task, outcome } of ended) {
    const { state, error, residue } = outcome;
    const told = `${move.name} (${task.id}) ended ${state}: ${JSON.stringify({ error, residue }).slice(0, 1500)}`;
    const next = move.to(standing);
    if (residue.length > 0 || state === "needs-attention") problems.push(told);
    else if (state === "succeeded" && next === null) problems.push(`${told}, where it had to be refused`);
    else if (state === "undone" && next !== null && !isExplained(error)) problems.push(told);
    if (state === "succeeded" && next !== null) standing = next;
  }
  return standing;
}

function isExplained(error: TaskOutcome["error"]): boolean {
  return EXPLAINED.has(String(error?.["code"])) || JSON.stringify(error).includes(PLANTED);
}

/** What the store tells of an end must be told, and stay so; of a worker that died before it told, by another one, later. */
export async function judgeTelling({ state }: LivingServer, ended: readonly Ended[]): Promise<readonly string[]> {
  const isTold = (): boolean => ended.every(({ task }) => state.toldEnds(task.id).length > 0);
  for (const late = performance.now() + QUIET_MS; !isTold() && performance.now() < late;) await delay(200);
  return ended.flatMap(({ move, task, outcome }) => {
    const [stored, told] = [state.stateOf(task.id), state.toldEnds(task.id)];
    const problems = [...unexplained(state.journal(task.id), outcome.state)];
    if (stored !== outcome.state) problems.push(`it ended ${outcome.state}, and is ${stored} now`);
    if (told.length === 0 || told.some((end) => end !== outcome.state))
      problems.push(`it ended ${outcome.state}, and was told as ${told.join(", ") || "nothing"}`);
    return problems.map((problem) => `${move.name} (${task.id}): ${problem}`);
  });
}

/** Ends whose telling was repeated. */
export function toldTwice({ state }: LivingServer, ended: readonly Ended[]): number {
  return ended.filter(({ task }) => state.toldEnds(task.id).length > 1).length;
}

/** Nothing of ours runs any more, and verify has nothing to do on either server. */
export async function judgeServers(living: LivingServer, standing: Standing): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const name of ["web1", OTHER_HOST]) {
    const host = living.hosts.host(name);
    let running = "";
    for (const late = performance.now() + QUIET_MS; ; await delay(200)) {
      running = (await host.sh("pgrep -af /var/lib/hostwright/[f]ence || true")).trim();
      if (running === "" || performance.now() > late) break;
    }
    if (running !== "") problems.push(`scripts of ours still run on ${name}: ${running.slice(0, 500)}`);
    const stray = name === "web1" && standing.site === null ? await strayProcesses(host) : [];
    if (stray.length > 0) problems.push(`processes of no site run on ${name}: ${stray.join("; ").slice(0, 500)}`);
    const { actions } = await living.hw.plan(verify(name));
    if (actions.length > 0)
      problems.push(`verify of ${name} has to do: ${actions.map(({ title }) => title).join(", ")}`);
  }
  return problems;
}
