import { storeConformance, storeProcesses } from "../store-conformance.ts";
import type { StoreHarness } from "../store-conformance/harness.ts";
import { tablesConformance } from "../store-conformance/tables.ts";
import { MemoryKernel } from "./memory-kernel.ts";
import { MemoryTables } from "./memory-tables.ts";
import { memoryStore } from "./memory-store.ts";

tablesConformance("A memory", async () => {
  const tables = new MemoryTables();
  return { tables, other: tables, cleanup: async () => undefined };
});

async function openMemoryHarness(): Promise<StoreHarness> {
  const kernel = new MemoryKernel();
  const reopen = async () => memoryStore(kernel);
  return { store: await reopen(), reopen, cleanup: async () => undefined, child: null };
}

storeConformance("Store in memory", openMemoryHarness);
storeProcesses("Store in memory", openMemoryHarness, {
  processes: "a store in memory is of one process, and ends with it",
});
