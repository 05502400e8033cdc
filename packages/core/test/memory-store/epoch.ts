import type { EpochRaised } from "../../src/contracts/store.ts";
import { NOBODY } from "../../src/store/holder.ts";
import { isFreed } from "../../src/store/lease-rules.ts";
import type { Tables } from "./tables.ts";
import { nextEnd } from "./tasks.ts";

const LEAP = 1_000_000;
const UNDER_WAY: readonly string[] = ["running", "cancelling", "undoing"];

/** See `StateStore.raiseEpoch`. */
export function raiseEpoch(tables: Tables, at: string, outcome: unknown): EpochRaised {
  tables.lastEvent += LEAP;
  tables.epoch++;
  tables.returned.clear();
  const given = [...tables.tasks.values()].filter(
    ({ id, state }) => UNDER_WAY.includes(state) && !tables.commits.has(id),
  );
  for (const row of given) {
    tables.tasks.set(row.id, {
      ...row,
      state: "needs-attention",
      outcome: JSON.stringify(outcome),
      finishedAt: at,
      ended: nextEnd(tables),
      waits: null,
    });
    for (const [key, lease] of tables.leases) {
      if (lease.task !== row.id) continue;
      if (isFreed(lease)) tables.leases.delete(key);
      else tables.leases.set(key, { ...lease, holder: NOBODY });
    }
  }
  return { epoch: tables.epoch, tasks: given.map(({ id }) => id) };
}
