import type { EventStore } from "./events.ts";
import type { Tables } from "./tables.ts";

/** All that a store of one kind has to be: what is kept, and by which rules, is core's own (decisions.md D52, D67). */
export interface StoreKernel {
  readonly tables: Tables;
  readonly events: EventLog;
  /** See `StateStore.integrity`. */
  integrity(): Promise<readonly { readonly file: string; readonly what: string }[]>;
  /** See `StateStore.scrub`. */
  scrub(): Promise<boolean>;
  close(): Promise<void>;
}

export interface EventLog extends EventStore {
  /** The next number lies at least 1,000,000 above all before it. */
  leap(): Promise<void>;
}
