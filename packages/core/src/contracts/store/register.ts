/** A managed resource and its owner (decisions.md D16). */
export interface RegisteredResource {
  readonly server: string;
  readonly type: string;
  readonly key: string;
  /** `site/<id>`, `platform/<id>`, `server/<id>`. */
  readonly owner: string;
  readonly shared: boolean;
  /** Keyed hash of the state last applied; null until it was. */
  readonly hash: string | null;
}

/** One owner's hold on a resource. */
export type ResourceHold = Pick<RegisteredResource, "server" | "type" | "key" | "owner">;

export interface RegisteredOwner {
  readonly owner: string;
  readonly hasRecord: boolean;
}

export interface RegisterStore {
  /** Ids of all servers on which something is registered, in order; whether there is a record of them or not. */
  servers(): Promise<readonly string[]>;
  /** Everything registered on a server, in one query. */
  onServer(server: string): Promise<readonly RegisteredResource[]>;
  /**
   * Everybody who has something registered on a server, each once, and whether there is a record of them, whatever its
   * state; in one reading of both: who is being made at that moment has one (decisions.md D56).
   */
  owners(server: string): Promise<readonly RegisteredOwner[]>;
  /** Of these owners or at these addresses, with every other owner's hold on the same; in one query. */
  about(
    server: string,
    owners: readonly string[],
    addresses: readonly Pick<ResourceHold, "type" | "key">[],
  ): Promise<readonly RegisteredResource[]>;
  /** Adds or updates, all in one transaction. @throws HW_RESOURCE_CONFLICT if another owner holds one exclusively. */
  put(resources: readonly RegisteredResource[]): Promise<void>;
  remove(resources: readonly ResourceHold[]): Promise<void>;
}

/** What the register takes up together with something else; removals come first. */
export interface RegisterChanges {
  readonly put: readonly RegisteredResource[];
  readonly remove: readonly ResourceHold[];
}
