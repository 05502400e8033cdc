import { statSync } from "node:fs";
import { join } from "node:path";
import type { StateStore } from "../contracts/store.ts";
import { HostwrightError, isHostwrightError } from "../errors/hostwright-error.ts";
import type { SecretBox } from "./sealing.ts";

/** Of a store of before the check: sealed values that are tried. */
const TRIED = 100;

/** The key that a state folder itself holds, unless it is given in another way. */
export function hasKeyFile(stateDir: string): boolean {
  try {
    return statSync(join(stateDir, "key"), { throwIfNoEntry: false }) !== undefined;
  } catch {
    // A panel may be kept from seeing it.
    return false;
  }
}

/** No new key is made where an old one was used: all that it sealed would be lost. @throws HW_STORE_INCOMPLETE */
export async function requireKeyFile(store: StateStore, stateDir: string): Promise<void> {
  if (hasKeyFile(stateDir)) return;
  const sealed = await store.secrets.list("", { limit: 1 });
  if ((await store.keyCheck.get()) === null && sealed.length === 0) return;
  throw new HostwrightError(
    "HW_STORE_INCOMPLETE",
    `${join(stateDir, "key")} is missing, with which the secrets in store.db are sealed. Nothing was opened or made.`,
    {
      remedy: "Put the file back from where its copy is kept, or give the key with the option `key`.",
      data: { part: "key" },
    },
  );
}

/** Is it this installation's? From its first use on the store knows. @throws HW_KEY_WRONG */
export async function requireOwnKey(store: StateStore, box: SecretBox): Promise<void> {
  if (!box.hasKey) return;
  const signed = `installation/${(await store.identity()).installation}`;
  const check = await store.keyCheck.get();
  const isOwn = check === null ? await opensSome(store, box) : box.verifyMac(signed, check);
  if (!isOwn) {
    throw new HostwrightError(
      "HW_KEY_WRONG",
      "The given key is not the one that this state folder was used with. Nothing was opened or changed.",
      {
        remedy:
          "Give the key that it was used with; to change keys, put the new one first and keep the old ones after it.",
      },
    );
  }
  // By the first of several keys: the others may go one day.
  const own = box.mac(signed);
  // Whoever opened it first with another key was told that this is the one: it is judged by that.
  if (own !== check && !(await store.keyCheck.set(own, check))) await requireOwnKey(store, box);
}

async function opensSome(store: StateStore, box: SecretBox): Promise<boolean> {
  const sealed = await store.secrets.list("", { limit: TRIED });
  return sealed.length === 0 || sealed.some(({ id, sealed: text }) => opens(box, text, id));
}

/** Can the key open it? */
export function opens(box: SecretBox, sealed: string, id: string): boolean {
  try {
    box.open(sealed, id);
    return true;
  } catch (error) {
    if (isHostwrightError(error) && error.code === "HW_SECRET_UNREADABLE") return false;
    throw error;
  }
}
