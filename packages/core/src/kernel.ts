import "./node-version.ts";
/** What a store of another kind is made with: `PART.openKernel` takes it. */
export { HostwrightError } from "./errors/hostwright-error.ts";
export type { EventStore, StoredEvent } from "./contracts/store/events.ts";
export type { EventLog, KernelOptions, OpenKernel, StoreKernel } from "./contracts/store/kernel.ts";
export type {
  AnyQuery,
  AnyRow,
  AnyRows,
  AnyTable,
  ColumnType,
  ListDefinition,
  Query,
  ReadRows,
  Rows,
  TableDefinition,
  Tables,
  Value,
} from "./contracts/store/tables.ts";
export { beginningOf } from "./store/beginning.ts";
export type { Beginning } from "./store/beginning.ts";
export { TABLES } from "./store/tables/all-tables.ts";
