import type { Lease, StateStore, TaskWrites } from "../../src/contracts/store.ts";
import { isHolderGone } from "../../src/store/holder.ts";
import { stateStore } from "../../src/store/state-store.ts";
import { MemoryKernel } from "./memory-kernel.ts";

/** Is that process gone? */
export type IsGone = (holder: string) => boolean;

/** A store without files: as fast as a model-based test needs it, and proof that neither engine nor rules need SQLite. */
export function memoryStore(kernel: MemoryKernel = new MemoryKernel(), isGone: IsGone = isHolderGone): StateStore {
  const dead = (leases: readonly Lease[]): ReadonlySet<Lease> => new Set(leases.filter(({ holder }) => isGone(holder)));
  const store = stateStore(kernel, { watch: { dead } });
  return {
    ...store,
    ...spreadableParts(store),
    bookmarks: spreadable(store.bookmarks),
    leases: spreadable(store.leases),
    held: (task, holder) => spreadableParts(store.held(task, holder)),
  };
}

function spreadableParts({ records, register, tasks, journal, secrets, plans }: TaskWrites): TaskWrites {
  return {
    records: spreadable(records),
    register: spreadable(register),
    tasks: spreadable(tasks),
    journal: spreadable(journal),
    secrets: spreadable(secrets),
    plans: spreadable(plans),
  };
}

/** With its methods as properties of its own: tests put others in their place by `{ ...part, method }`. */
function spreadable<Part extends object>(part: Part): Part {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(part)).filter((name) => name !== "constructor");
  const methods = names.map((name) => [name, (part as Record<string, () => unknown>)[name]?.bind(part)]);
  return { ...part, ...(Object.fromEntries(methods) as Part) };
}
