import type { RegisteredResource } from "./register.ts";
import type { SealedSecret } from "./sealed-secret.ts";

export type RecordKind = "client" | "server" | "platform" | "site";

export interface StoredRecord {
  readonly kind: RecordKind;
  readonly id: string;
  /** Unique in its kind: the server's or platform's name, the site's main domain. */
  readonly name: string;
  /** Raised by each write; a put with another `expect` fails. */
  readonly version: number;
  readonly value: unknown;
}

/** A record as it is to be, with what must still hold: see `RecordStore.put`. */
export interface RecordChange extends Omit<StoredRecord, "version">, PutOptions {}

export interface PutOptions {
  /** Present version; 0: there is none. */
  readonly expect: number;
  /** Names that are its own from then on, beside its `name`. */
  readonly claims: readonly string[];
  /** Records that it refers to, which must be there. Default: none. */
  readonly needs?: readonly Pick<StoredRecord, "kind" | "id">[];
  /** Secrets of its own (`<kind>/<id>/`), set in the same transaction. Default: none. */
  readonly secrets?: readonly SealedSecret[];
}

export interface RecordRemoval {
  readonly kind: RecordKind;
  readonly id: string;
  /** Present version; left out: whatever it is. */
  readonly expect?: number;
}

/** The version at which a record must be; 0: there is none. */
export interface RecordVersion {
  readonly kind: RecordKind;
  readonly id: string;
  readonly version: number;
}

export interface RecordDiscard extends Pick<StoredRecord, "kind" | "id"> {
  readonly number: { readonly counter: string; readonly value: number };
}

/** What sites refer to: their platform, and the servers and services (`<server>/<service>`) that their `bindings` name. */
export type RecordReference = "platform" | "server" | "service";

export interface RecordQuery {
  readonly by: RecordReference;
  readonly ids: readonly string[];
  /** Of the record: it is one of these, such as `installed`. */
  readonly status: readonly string[];
}

export interface RecordStore {
  /** By id, or by any name that it claims; an id is looked for first. Costs the same however many there are. */
  get(kind: RecordKind, idOrName: string): Promise<StoredRecord | null>;
  /** Those that refer to one of these ids, in order of their names, by an index: it costs what it gives. */
  referring(kind: RecordKind, query: RecordQuery): Promise<readonly StoredRecord[]>;
  /** The different platforms, or http services, among them, in order, without reading the records themselves. */
  different(kind: RecordKind, field: "platform" | "http", query: RecordQuery): Promise<readonly string[]>;
  /** In order of their names, those after a name, at most `limit`; default: all. */
  list(kind: RecordKind, page?: { readonly after?: string; readonly limit?: number }): Promise<readonly StoredRecord[]>;
  /**
   * Creates (`expect` 0) or replaces (`expect` = present version) in one transaction with the names it claims, which
   * replace those claimed before; its own name is always among them.
   * Names (all domains of a site) are unique over the kind. @throws HW_DOMAIN_TAKEN (sites), HW_RECORD_TAKEN (all others),
   * HW_TASK_STATE (version moved), HW_NOT_FOUND (what it needs).
   */
  put(record: Omit<StoredRecord, "version">, options: PutOptions): Promise<StoredRecord>;
  /**
   * Removes a record that nothing needs any more, in one transaction with that look and with all that is kept for it: its
   * names, its secrets (`<kind>/<id>/`) and, of a server, everything that is registered there, which is given back.
   * @throws HW_TASK_STATE, with `expect` in its data, and changes nothing, when its version moved or something needs it: a
   * record that refers to it and is no draft, a lease of it, a task that is yet to make it (its name, of a draft), or, but
   * for a server, what is registered for it.
   */
  forget(kind: RecordKind, id: string, expect: number): Promise<readonly RegisteredResource[]>;
  /** The id of the record that claims a name of that kind; null if none does. */
  claimedBy(kind: RecordKind, name: string): Promise<string | null>;
  /** A number of that counter that nobody has, at least `from`: one given back by `discard`, or a new one (unix ids, decisions.md D23). */
  nextNumber(counter: string, from: number): Promise<number>;
  /**
   * Deletes a record with its names and gives back the number that was drawn for it, in one transaction: the next draws it
   * again. Only for what nothing was made of. False, and nothing is given back, when the record is gone already.
   */
  discard(kind: RecordKind, id: string, number: { readonly counter: string; readonly value: number }): Promise<boolean>;
}
