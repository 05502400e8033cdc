import type { StateStore } from "../contracts/store.ts";
import { loadKeyring, type KeyringSource } from "./keyring.ts";
import { SecretBox } from "./sealing.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";

export interface StateOptions {
  readonly stateDir: string;
  readonly key?: Omit<KeyringSource, "stateDir">;
}

export interface OpenState {
  readonly store: StateStore;
  readonly box: SecretBox;
}

/** Opens the store and the key that is kept apart from it. */
export async function openState(options: StateOptions): Promise<OpenState> {
  const store = await openSqliteStore({ directory: options.stateDir });
  try {
    return { store, box: new SecretBox(loadKeyring({ ...options.key, stateDir: options.stateDir })) };
  } catch (error) {
    await store.close();
    throw error;
  }
}
