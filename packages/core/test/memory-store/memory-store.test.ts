import { storeConformance } from "../store-conformance.ts";
import { memoryStore } from "./memory-store.ts";
import type { Tables } from "./tables.ts";

storeConformance(
  "Store in memory",
  async () => {
    const store = memoryStore();
    const tables: Tables = store.tables;
    return { store, reopen: async () => memoryStore(tables), cleanup: async () => undefined, child: null };
  },
  { processes: "a store in memory is of one process, and ends with it" },
);
