import { onTestFinished } from "vitest";
import type { StateStore } from "../../src/contracts/store.ts";

export interface StoreHarness {
  readonly store: StateStore;
  /** Another handle on the same store, as another process has it. */
  reopen(): Promise<StateStore>;
  /** Closes all handles and removes the store. */
  cleanup(): Promise<void>;
  /** How a child process opens the same store: `(await import(module))[function](options)`; null for `Lacking.processes`. */
  readonly child: { readonly module: string; readonly function: string; readonly options: unknown } | null;
}

/** What a store cannot be asked for, each with the reason that is printed beside the skipped tests. */
export interface Lacking {
  /** Several processes, and what stands after one of them was killed. */
  readonly processes?: string;
}

export type OpenHarness = () => Promise<StoreHarness>;

/** For one test: cleaned up when it ends. */
export async function use(open: OpenHarness): Promise<StoreHarness> {
  const harness = await open();
  onTestFinished(async () => harness.cleanup());
  return harness;
}
