import { HostwrightError } from "../errors/hostwright-error.ts";
import type { StateStore } from "../contracts/store.ts";
import type { OpenKernel } from "../contracts/store/kernel.ts";
import { hasKeyFile, requireKeyFile, requireOwnKey } from "./key-check.ts";
import { loadKeyring, type Keyring, type KeyringSource } from "./keyring.ts";
import { SecretBox } from "./sealing.ts";
import { ensurePrivateDirectory } from "./private-files.ts";
import { openSqliteKernel } from "./sqlite/sqlite-store.ts";
import { stateStore } from "./state-store.ts";

export interface StateOptions {
  readonly stateDir: string;
  readonly key?: Omit<KeyringSource, "stateDir">;
  /** `submit`: no key is read or made. */
  readonly role?: "submit";
  readonly leaseMs?: number;
}

/** Of `leaseMs`, in milliseconds. */
const LEASE_MS = 60_000;
const SHORTEST_LEASE_MS = 1_000;
const LONGEST_LEASE_MS = 86_400_000;

export interface OpenState {
  readonly store: StateStore;
  readonly box: SecretBox;
}

/**
 * Opens the store and the key that is kept apart from it. @throws HW_INPUT_INVALID: the role, or a key for one without;
 * HW_STORE_INCOMPLETE, HW_KEY_WRONG: parts that do not belong together
 */
export async function openState(options: StateOptions, openKernel: OpenKernel = openSqliteKernel): Promise<OpenState> {
  if (![undefined, "submit"].includes(options.role)) {
    throw new HostwrightError("HW_INPUT_INVALID", `role: there is none but "submit". Nothing was opened.`, {
      data: { field: "role" },
    });
  }
  if (options.role === "submit" && options.key !== undefined) {
    throw new HostwrightError("HW_INPUT_INVALID", 'key: an instance of role "submit" holds none. Nothing was opened.', {
      remedy: "Leave the key out, and keep it where the workers run.",
      data: { field: "key" },
    });
  }
  const { stateDir, leaseMs = LEASE_MS } = options;
  if (!Number.isInteger(leaseMs) || leaseMs < SHORTEST_LEASE_MS || leaseMs > LONGEST_LEASE_MS) {
    throw new HostwrightError(
      "HW_INPUT_INVALID",
      "leaseMs: it is no whole number from 1,000 to 86,400,000. Nothing was opened.",
      {
        data: { field: "leaseMs" },
      },
    );
  }
  const isOwnKey = options.key === undefined;
  // Read before anything is made: a mistyped key leaves no new state behind.
  const given = isOwnKey ? null : keyringOf(options);
  // Looked for first: whoever makes a new state makes the store before the key.
  const beside = isOwnKey && hasKeyFile(stateDir) ? ["key"] : [];
  ensurePrivateDirectory(stateDir);
  const store = stateStore(await openKernel({ directory: stateDir, beside }), { leaseMs });
  try {
    if (isOwnKey && options.role === undefined) await requireKeyFile(store, stateDir);
    const box = new SecretBox(given ?? keyringOf(options));
    await requireOwnKey(store, box);
    return { store, box };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function keyringOf({ key, stateDir, role }: StateOptions): Keyring | null {
  return role === "submit" ? null : loadKeyring({ ...key, stateDir });
}
