import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StateStore } from "../src/contracts/store.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import type { StoreHarness } from "./store-conformance/harness.ts";

/** A SQLite store in a new folder. */
export async function openSqliteHarness(): Promise<StoreHarness> {
  const directory = join(mkdtempSync(join(tmpdir(), "hostwright-store-")), "state");
  const opened: StateStore[] = [];
  const reopen = async (): Promise<StateStore> => {
    const store = await openSqliteStore({ directory });
    opened.push(store);
    return store;
  };
  const child = {
    module: new URL("../src/store/sqlite/sqlite-store.ts", import.meta.url).href,
    function: "openSqliteStore",
    options: { directory },
  };
  const cleanup = async (): Promise<void> => {
    await Promise.all(opened.map(async (store) => store.close()));
    rmSync(join(directory, ".."), { recursive: true });
  };
  return { store: await reopen(), reopen, cleanup, child };
}
