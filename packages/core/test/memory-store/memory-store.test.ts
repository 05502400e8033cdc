import { storeConformance } from "../store-conformance.ts";
import { tablesConformance } from "../store-conformance/tables.ts";
import { MemoryKernel } from "./memory-kernel.ts";
import { MemoryTables } from "./memory-tables.ts";
import { memoryStore } from "./memory-store.ts";

tablesConformance("A memory", async () => {
  const tables = new MemoryTables();
  return { tables, other: tables, cleanup: async () => undefined };
});

storeConformance(
  "Store in memory",
  async () => {
    const kernel = new MemoryKernel();
    const reopen = async () => memoryStore(kernel);
    return { store: await reopen(), reopen, cleanup: async () => undefined, child: null };
  },
  { processes: "a store in memory is of one process, and ends with it" },
);
