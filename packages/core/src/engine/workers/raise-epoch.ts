import { setTimeout as delay } from "node:timers/promises";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import type { Lease } from "../../contracts/store.ts";
import type { ServerRecord } from "../../model/records.ts";
import { isMachine } from "../../model/records.ts";
import { isHolderGone } from "../../store/holder.ts";
import { describe } from "../actions/action-context.ts";
import type { Residue } from "../../model/residue.ts";
import type { Events } from "../events.ts";
import { raiseFence } from "../sessions/fence.ts";
import { planOf } from "./stored-plans.ts";
import { leftBegun } from "./task-ends.ts";
import type { EngineParts } from "../planning/task-engine.ts";
import type { StoredOutcome } from "./stored-outcome.ts";
import { timeText } from "../../model/time.ts";

/** What was done for a store that was restored from a backup. */
export interface RaisedEpoch {
  readonly epoch: number;
  /** Ids of tasks that were unfinished in the backup: they need attention now. */
  readonly tasks: readonly string[];
  /**
   * Servers that could not be told. Their fence rises with the first task that changes them; a unix id that was given out
   * there after the backup is not known and may be drawn again, which that server then refuses.
   */
  readonly unreached: readonly { readonly server: string; readonly code: string; readonly message: string }[];
}

const LOOK =
  "Look at its site first. If it answers as it should, resolve the task with `complete`, which takes it as done; `retry` takes back, that is deletes, what the task has made.";

/** See `Hostwright.raiseEpoch`. */
export async function raiseEpoch(parts: EngineParts, events: Events): Promise<RaisedEpoch> {
  const { store, pool, uids } = parts;
  await requireNobodyWorks(parts);
  const { epoch, tasks } = await store.raiseEpoch(timeText(parts.clock), outcomeOf([]));
  for (const id of tasks) {
    const outcome = outcomeOf(await begunBy(parts, id));
    await store.tasks.move(id, ["needs-attention"], "needs-attention", { outcome });
    await events.emit(id, "task:finished", outcome);
  }
  const { installation } = await store.identity();
  const all = (await store.records.list("server")).map(({ value }) => value as ServerRecord);
  const servers = all.filter(isMachine);
  const unreached: RaisedEpoch["unreached"][number][] = [];
  const highest = await Promise.all(
    servers.map(async (server) => {
      try {
        using held = await pool.hold(server);
        return await raiseFence(held.server, { installation, epoch }, uids);
      } catch (error) {
        unreached.push({ server: server.name, ...describe(error) });
        return 0;
      }
    }),
  );
  // What is drawn next is above it.
  const used = highest.reduce((most, token) => Math.max(most, token), 0);
  if (used > 0) await store.records.nextNumber("uid", used);
  return { epoch, tasks, unreached };
}

/**
 * A store that somebody works with was not restored just now: a second call would condemn its healthy tasks. Who worked the
 * store that was lost may live, but beats for that one. @throws HW_TASK_STATE
 */
async function requireNobodyWorks({ store }: EngineParts): Promise<void> {
  const leases = async (): Promise<ReadonlyMap<string, Lease>> => {
    const own = (await store.leases.list()).filter(
      ({ task, scope, holder }) => scope === `task/${task}` && !isHolderGone(holder, store.reach),
    );
    return new Map(own.map((lease) => [`${lease.task} ${lease.holder}`, lease]));
  };
  const before = await leases();
  if (before.size === 0) return;
  // Whoever lives beats six times within it.
  const longest = [...before.values()].reduce((most, { lifeMs }) => Math.max(most, lifeMs), 0);
  await delay(longest / 4);
  const now = await leases();
  const working = [...before].find(([name, lease]) => (now.get(name) ?? lease).heartbeat > lease.heartbeat);
  if (working === undefined) return;
  throw new HostwrightError(
    "HW_TASK_STATE",
    `A worker is at task ${working[0].split(" ")[0]} of this store now: it was not restored since. Nothing was changed.`,
    { remedy: "If it was, close all workers of this store first, then raise the epoch." },
  );
}

/** Everything that the journal of the backup knows to be begun: whether it stands, was undone or went on is not known. */
async function begunBy(parts: EngineParts, taskId: string): Promise<readonly Residue[]> {
  const { store } = parts;
  const task = await store.tasks.get(taskId);
  const reason = new Error("it was begun before the backup; what became of it is not known");
  try {
    const plan = task === null ? null : await planOf(parts, task, { begun: true });
    if (plan === null) return [];
    return await leftBegun(store.journal, taskId, plan, reason);
  } catch (error) {
    if (isHostwrightError(error)) return [{ server: "", type: "task", key: taskId, reason: error.message }];
    throw error;
  }
}

function outcomeOf(residue: readonly Residue[]): StoredOutcome {
  const error = new HostwrightError(
    "HW_STORE_RESTORED",
    "The store was restored from a backup in which this task was unfinished. What became of it since is not known: it was neither resumed nor undone.",
    { remedy: LOOK },
  );
  return { state: "needs-attention", value: {}, error: error.toJSON(), residue };
}
