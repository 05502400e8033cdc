import type { RecordVersion } from "./records.ts";
import type { SealedSecret } from "./sealed-secret.ts";

/** Ciphertexts only; encryption is done before (AES-256-GCM, key outside the store). */
export interface SecretStore {
  get(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Keeps what is there: the first writer wins, and the stored value is returned. */
  add(id: string, sealed: string): Promise<string>;
  /**
   * Sets it, whether it was there or not. One of a record only while that is at this version, in the same transaction.
   * @throws HW_TASK_STATE, with `expect` in its data
   */
  replace(id: string, sealed: string, of?: RecordVersion): Promise<void>;
  /** Removes all whose id begins with the prefix. */
  removePrefix(prefix: string): Promise<void>;
  /** Those whose id begins with the prefix, in order of their ids, after one of these, at most `limit`. */
  list(prefix: string, page: { readonly after?: string; readonly limit: number }): Promise<readonly SealedSecret[]>;
  /** Owners that are not there and have no lease (`site/<id>`, `server/<id>`), whose secrets are, in order, at most `limit`. */
  orphans(limit: number): Promise<readonly string[]>;
}
