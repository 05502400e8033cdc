/** Stored records of a kind, each of which is read by the loaded plugins when it is first asked for: most never are. */
export class Readings<T extends { readonly id: string; readonly name: string }> {
  readonly stored: readonly T[];
  readonly #byId: ReadonlyMap<string, T>;
  readonly #read: (record: T) => T;
  readonly #known = new Map<string, T>();

  constructor(stored: readonly T[], read: (record: T) => T) {
    this.stored = stored;
    this.#byId = new Map(stored.map((record) => [record.id, record]));
    this.#read = read;
  }

  all(): readonly T[] {
    return this.stored.map((record) => this.of(record));
  }

  /** As it was read; the same one whenever it is asked for. */
  of(record: T): T {
    let known = this.#known.get(record.id);
    if (known === undefined) this.#known.set(record.id, (known = this.#read(record)));
    return known;
  }

  /** As the store looks for it: an id comes first. */
  find(idOrName: string): T | null {
    const wanted = idOrName.replace(/^@/, "");
    const found = this.#byId.get(wanted) ?? this.stored.find(({ name }) => name === wanted);
    return found === undefined ? null : this.of(found);
  }
}
