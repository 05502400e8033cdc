import { onTestFinished } from "vitest";
import type { StateStore } from "../../src/contracts/store.ts";

export interface StoreHarness {
  readonly store: StateStore;
  /** Another handle on the same store, as another process has it. */
  reopen(): Promise<StateStore>;
  /** Closes all handles and removes the store. */
  cleanup(): Promise<void>;
  /** How a child process opens the same store: `(await import(module))[function](options)`. */
  readonly child: { readonly module: string; readonly function: string; readonly options: unknown };
}

export type OpenHarness = () => Promise<StoreHarness>;

/** For one test: cleaned up when it ends. */
export async function use(open: OpenHarness): Promise<StoreHarness> {
  const harness = await open();
  onTestFinished(async () => harness.cleanup());
  return harness;
}
