import type { StateStore } from "../../contracts/store.ts";
import { RETENTION } from "../../model/retention.ts";
import type { EngineParts } from "../planning/task-engine.ts";
import { sweepPlans } from "./sweep-plans.ts";

/** What was removed; see `Hostwright.maintain`. */
export interface Maintained {
  readonly plans: number;
  readonly tasks: number;
  readonly events: number;
  /** Tasks, and records that are not there, whose secrets were erased. */
  readonly secrets: number;
  /** Whether all that was ever erased is gone from the files; false while another process is in the way. */
  readonly clean: boolean;
}

/** Of one step; `done` unless more of the same is to be done. */
export interface MaintenanceStep extends Maintained {
  readonly done: boolean;
}

/** At most this of each in one step, so that nobody waits long for the store. */
const AT_ONCE = { plans: 50, tasks: 50, events: 1_000, secrets: 100 };
const [MINUTE_MS, DAY_MS] = [60_000, 86_400_000];

/** One bounded step of upkeep: what is over by the instance's retention goes, and what was erased leaves the files. */
export async function maintain(
  parts: EngineParts,
  stop: AbortSignal,
  now: number = parts.clock.now(),
): Promise<MaintenanceStep> {
  const { store, retention = RETENTION } = parts;
  const ago = (ms: number): string => new Date(now - ms).toISOString();
  const bounds = { keep: retention.plans, limit: AT_ONCE.plans };
  const plans = (await sweepPlans(parts, stop, now, bounds)).length;
  const secrets =
    (await eraseTaskSecrets(store, ago(retention.secretMinutes * MINUTE_MS))) + (await eraseStraySecrets(store));
  const before = retention.eventDays === null ? "" : ago(retention.eventDays * DAY_MS);
  const events = before === "" ? 0 : await store.events.remove({ before }, AT_ONCE.events);
  const tasks = retention.taskDays === null ? 0 : await removeTasks(store, ago(retention.taskDays * DAY_MS), stop);
  const clean = await store.scrub();
  const counts = { plans, tasks, events, secrets };
  return { ...counts, clean, done: clean && Object.values(counts).every((count) => count === 0) };
}

/** Secrets of tasks that are over for long enough; a task that needs attention keeps its own. */
async function eraseTaskSecrets(store: StateStore, before: string): Promise<number> {
  const tasks = new Set<string>();
  let after: string | undefined;
  do {
    const page = await store.secrets.list("task/", {
      limit: AT_ONCE.secrets,
      ...(after === undefined ? {} : { after }),
    });
    for (const { id } of page) tasks.add(id.split("/")[1] ?? "");
    after = page.length < AT_ONCE.secrets ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
  const over = await store.tasks.endedBefore(before, AT_ONCE.tasks, [...tasks]);
  for (const task of over) await store.secrets.removePrefix(`task/${task}/`);
  return over.length;
}

/** Ids of records are never drawn again: nobody comes back to them. */
async function eraseStraySecrets({ secrets }: StateStore): Promise<number> {
  const owners = await secrets.orphans(AT_ONCE.secrets);
  for (const owner of owners) await secrets.removePrefix(`${owner}/`);
  return owners.length;
}

/** The events first: whoever dies between the two finds the task again. */
async function removeTasks(store: StateStore, before: string, stop: AbortSignal): Promise<number> {
  const gone: string[] = [];
  for (const task of await store.tasks.endedBefore(before, AT_ONCE.tasks)) {
    if (stop.aborted) break;
    while ((await store.events.remove({ task }, AT_ONCE.events)) === AT_ONCE.events);
    gone.push(task);
  }
  return gone.length === 0 ? 0 : store.tasks.remove(gone);
}

/** Steps of a process that does nothing else. */
const MOST_STEPS = 100_000;
/** Somebody else writes at each of these moments: he will be in the way of more. */
const MOST_BUSY = 20;

/** Steps until nothing is left to do, or somebody stays in the way. */
export async function maintainAll(parts: EngineParts, stop: AbortSignal): Promise<Maintained> {
  let all: Maintained = { plans: 0, tasks: 0, events: 0, secrets: 0, clean: false };
  for (let steps = 0, busy = 0; steps < MOST_STEPS && busy < MOST_BUSY && !stop.aborted; steps++) {
    const { done, ...step } = await maintain(parts, stop);
    all = {
      plans: all.plans + step.plans,
      tasks: all.tasks + step.tasks,
      events: all.events + step.events,
      secrets: all.secrets + step.secrets,
      clean: step.clean,
    };
    if (done) break;
    busy = step.plans + step.tasks + step.events + step.secrets === 0 ? busy + 1 : 0;
  }
  return all;
}
