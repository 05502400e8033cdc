import { randomInt } from "node:crypto";
import type { RecordVersion, SealedSecret, SecretStore } from "../contracts/store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { mapMany } from "../model/breathe.ts";
import type { NeededSecret, Resolve } from "../model/text.ts";
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

  /**
   * As `load`, and makes what is to be generated and is not there yet: of two that make it at once the first wins, for
   * both. One read where nothing lacks. @throws HW_SECRET_UNREADABLE for one that somebody has to give
   */
  async ensure(needed: readonly NeededSecret[]): Promise<ReadonlyMap<string, string>> {
    const ids = [...new Set(needed.map(({ id }) => id))];
    const sealed = await this.#store.get(ids);
    const lacking = new Set(
      needed.filter(({ id, generate }) => generate === "password" && !sealed.has(id)).map(({ id }) => id),
    );
    for (const id of lacking) await this.#store.add(id, this.#box.seal(generatePassword(), id));
    const all = lacking.size === 0 ? sealed : new Map([...sealed, ...(await this.#store.get([...lacking]))]);
    return this.#opened(all, ids);
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
    return this.#opened(sealed, wanted);
  }

  /** As `load`, of those that there are. @throws HW_SECRET_UNREADABLE for one that cannot be opened */
  async find(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const sealed = await this.#store.get(ids);
    return this.#opened(sealed, [...sealed.keys()]);
  }

  async #opened(sealed: ReadonlyMap<string, string>, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Map(await mapMany(ids, (id) => [id, this.#box.open(known(sealed, id), id)] as const));
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
    remedy: "Submit its task again, which makes it anew.",
    data: { id },
  });
}
