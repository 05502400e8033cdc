import type { StateStore, TaskWrites } from "../src/contracts/store.ts";

/** The store with what is written for tasks changed, whoever holds them. */
export function changedStore(store: StateStore, change: (writes: TaskWrites) => Partial<TaskWrites>): StateStore {
  const held: StateStore["held"] = (task, holder) => {
    const writes = store.held(task, holder);
    return { ...writes, ...change(writes) };
  };
  return { ...store, ...change(store), held };
}
