import type { EpochRaised } from "../../contracts/store.ts";
import type { Tables } from "../../contracts/store/tables.ts";
import { NOBODY } from "../holder.ts";
import { isFreed } from "../lease-rules.ts";
import { LEASES } from "../tables/leases.ts";
import { META } from "../tables/named.ts";
import { RETURNED_NUMBERS } from "../tables/records.ts";
import { COMMITS, TASKS } from "../tables/tasks.ts";
import { ENDED, nextNumber } from "./counters.ts";
import { EPOCH, identityIn, identityOf } from "./identity.ts";
import { inHandsOf } from "./lease-rows.ts";
import { UNDER_WAY } from "./task-states.ts";

/** See `StateStore.raiseEpoch`. */
export async function raiseEpoch(tables: Tables, at: string, outcome: unknown): Promise<EpochRaised> {
  // One that is new has its first epoch before.
  await identityOf(tables);
  return tables.transact(async (rows) => {
    const epoch = ((await identityIn(rows))?.epoch ?? 0) + 1;
    await rows.put(META, [{ ...EPOCH, value: String(epoch) }]);
    // The lost store may have given them to sites since.
    await rows.remove(RETURNED_NUMBERS, await rows.list(RETURNED_NUMBERS, {}));
    const underWay = await rows.list(TASKS, { by: "state", of: UNDER_WAY.map((state) => ({ state })) });
    const commits = underWay.map(({ id }) => ({ task: id }));
    const committed = await rows.get(COMMITS, commits);
    const given = underWay.filter((_, index) => committed[index] === undefined).toSorted((a, b) => a.seq - b.seq);
    const leases = await rows.list(LEASES, { by: "task", of: given.map(({ id }) => ({ task: id })) });
    await rows.remove(LEASES, leases.filter(isFreed));
    const kept = leases.filter((lease) => !isFreed(lease));
    await rows.put(LEASES, inHandsOf(NOBODY, kept));
    const end = { state: "needs-attention", outcome: JSON.stringify(outcome ?? null), finishedAt: at } as const;
    for (const task of given)
      await rows.put(TASKS, [{ ...task, ...end, ended: await nextNumber(rows, ENDED, 1), waits: null }]);
    return { epoch, tasks: given.map(({ id }) => id) };
  });
}
