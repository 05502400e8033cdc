import type { EventStore } from "./events.ts";
import type { Tables } from "./tables.ts";

/** All that a store of one kind has to be: what is kept, and by which rules, is core's own (decisions.md D52, D67). */
export interface StoreKernel {
  /**
   * Who can open it: processes of one machine, where a process of an earlier start of that machine is gone; or of several,
   * where one that cannot be seen from here is judged by its heartbeat alone.
   */
  readonly reach: "machine" | "network";
  readonly tables: Tables;
  readonly events: EventLog;
  /** See `StateStore.integrity`. */
  integrity(): Promise<readonly { readonly file: string; readonly what: string }[]>;
  /** See `StateStore.scrub`. */
  scrub(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the store of an installation, which several processes may have open at once. @throws HW_STORE_... */
export type OpenKernel = (options: KernelOptions) => Promise<StoreKernel>;

export interface KernelOptions {
  /** The option `stateDir`. */
  readonly directory: string;
  /** Names of other parts of a state that stand in the folder: beside them a store cannot be new. */
  readonly beside: readonly string[];
}

export interface EventLog extends EventStore {
  /** The next number lies at least 1,000,000 above all before it. */
  leap(): Promise<void>;
}
