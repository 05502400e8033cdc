import { randomInt } from "node:crypto";
import type { RecordVersion, SealedSecret, SecretStore } from "../contracts/store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Resolve } from "../model/text.ts";
import type { SecretBox } from "./sealing.ts";

// No character that a shell, URL, ini file, SQL or PHP string reads as anything but itself.
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The installation's secrets by id (`site/s7k2m9xq4t/db-password`), in clear only in memory. */
export class SecretVault {
  readonly #store: SecretStore;
  readonly #box: SecretBox;

  constructor(store: SecretStore, box: SecretBox) {
    this.#store = store;
    this.#box = box;
  }

  /** @throws HW_ROLE_SUBMIT */
  requireKey(what: string): void {
    this.#box.requireKey(what);
  }

  /** Makes the secret unless it exists. Of two that make it at once the first wins, for both. */
  async getOrCreate(id: string, make: () => string): Promise<void> {
    if ((await this.#store.get([id])).has(id)) return;
    await this.#store.add(id, this.#box.seal(make(), id));
  }

  /** One of a record only while that is at this version. @throws HW_TASK_STATE, with `expect` in its data */
  async put(id: string, value: string, of?: RecordVersion): Promise<void> {
    await this.#store.replace(id, this.#box.seal(value, id), of);
  }

  /** To be kept with a record that is written: see `PutOptions`. */
  seal(id: string, value: string): SealedSecret {
    return { id, sealed: this.#box.seal(value, id) };
  }

  /** Values of all ids, in one read. @throws HW_SECRET_UNREADABLE naming the first that is missing or cannot be opened. */
  async load(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const wanted = [...new Set(ids)];
    if (wanted.length === 0) return new Map();
    const sealed = await this.#store.get(wanted);
    return new Map(wanted.map((id) => [id, this.#box.open(known(sealed, id), id)]));
  }

  /** As `load`, of those that there are. @throws HW_SECRET_UNREADABLE for one that cannot be opened */
  async find(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const sealed = await this.#store.get(ids);
    return new Map([...sealed].map(([id, text]) => [id, this.#box.open(text, id)]));
  }

  /** As `load`; the result answers for these ids only. @throws HW_SECRET_UNREADABLE, now or for another id later. */
  async resolver(ids: readonly string[]): Promise<Resolve> {
    const values = await this.load(ids);
    return (reference) => known(values, reference.id);
  }

  /** Removes all below a prefix that ends in `/`: without it `site/a` would take `site/ab` along. @throws HW_INTERNAL */
  async removePrefix(prefix: string): Promise<void> {
    if (!/[^/]\/$/.test(prefix))
      throw new HostwrightError("HW_INTERNAL", `Secrets below "${prefix}": it must end in "/".`);
    await this.#store.removePrefix(prefix);
  }
}

/** Letters and digits, about 5.95 bits each: safe in the syntax of every consumer. Default 32, 190 bits. */
export function generatePassword(length: number = 32): string {
  return Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join("");
}

function known(values: ReadonlyMap<string, string>, id: string): string {
  const value = values.get(id);
  if (value !== undefined) return value;
  throw new HostwrightError("HW_SECRET_UNREADABLE", `There is no secret ${id}. Nothing was changed.`, {
    mend: "It is made when its task is submitted: submit the task again.",
    data: { id },
  });
}
