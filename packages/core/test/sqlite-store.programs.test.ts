import { openSqliteHarness } from "./sqlite-harness.ts";
import { storeProcesses } from "./store-conformance.ts";

storeProcesses("SQLite store", openSqliteHarness);
