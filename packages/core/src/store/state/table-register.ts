import type {
  RecordKind,
  RegisteredOwner,
  RegisteredResource,
  RegisterStore,
  ResourceHold,
} from "../../contracts/store.ts";
import type { Tables } from "../../contracts/store/tables.ts";
import { byText } from "../order.ts";
import { RECORDS } from "../tables/records.ts";
import { REGISTER } from "../tables/register.ts";
import { changeRegister, parseResource, registeredOn, serversIn } from "./register-changes.ts";

export class TableRegister implements RegisterStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async servers(): Promise<readonly string[]> {
    return this.#tables.read(serversIn);
  }

  async onServer(server: string): Promise<readonly RegisteredResource[]> {
    return this.#tables.read(async (rows) => registeredOn(rows, server));
  }

  async owners(server: string): Promise<readonly RegisteredOwner[]> {
    return this.#tables.read(async (rows) => {
      const each = { by: "owner", of: [{ server }], each: "owner", columns: ["owner"] } as const;
      const owners = (await rows.list(REGISTER, each)).map(({ owner }) => owner);
      const records = await rows.get(RECORDS, owners.map(recordOf), ["id"]);
      return owners.map((owner, index) => ({ owner, hasRecord: records[index] !== undefined }));
    });
  }

  async about(
    server: string,
    owners: readonly string[],
    addresses: readonly Pick<ResourceHold, "type" | "key">[],
  ): Promise<readonly RegisteredResource[]> {
    const found = await this.#tables.read(async (rows) => {
      const of = [...new Set(owners)].map((owner) => ({ server, owner }));
      const own = await rows.list(REGISTER, { by: "owner", of, columns: ["type", "key"] });
      const wanted = new Map(
        [...own, ...addresses].map(({ type, key }) => [JSON.stringify([type, key]), { type, key }]),
      );
      const inOrder = [...wanted.values()].toSorted((a, b) => byText(a.type, b.type) || byText(a.key, b.key));
      return rows.list(REGISTER, { of: inOrder.map(({ type, key }) => ({ server, type, key })) });
    });
    return found.map(parseResource);
  }

  async put(resources: readonly RegisteredResource[]): Promise<void> {
    if (resources.length > 0)
      await this.#tables.transact(async (rows) => changeRegister(rows, { put: resources, remove: [] }));
  }

  async remove(resources: readonly ResourceHold[]): Promise<void> {
    if (resources.length > 0) await this.#tables.transact(async (rows) => rows.remove(REGISTER, resources));
  }
}

function recordOf(owner: string): { readonly kind: RecordKind; readonly id: string } {
  const end = owner.indexOf("/");
  return { kind: owner.slice(0, Math.max(end, 0)) as RecordKind, id: owner.slice(end + 1) };
}
