import type { RecordKind, RecordVersion, SealedSecret, SecretStore } from "../../contracts/store.ts";
import type { ReadRows, Rows, Tables } from "../../contracts/store/tables.ts";
import { byText } from "../order.ts";
import { LEASES } from "../tables/leases.ts";
import { SECRETS } from "../tables/secrets.ts";
import { RECORDS } from "../tables/records.ts";
import { requireVersions } from "./versions.ts";

/** Those of tasks have an upkeep of their own. */
const OWNERS: readonly RecordKind[] = ["platform", "server", "site"];
const AT_ONCE = 1_000;

export class TableSecrets implements SecretStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async get(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const keys = ids.map((id) => ({ id }));
    const found = await this.#tables.read(async (rows) => rows.get(SECRETS, keys));
    return new Map(found.flatMap((row) => (row === undefined ? [] : [[row.id, row.sealed]])));
  }

  async add(id: string, sealed: string): Promise<string> {
    return this.#tables.transact(async (rows) => {
      const [before] = await rows.get(SECRETS, [{ id }]);
      if (before !== undefined) return before.sealed;
      await rows.put(SECRETS, [{ id, sealed }]);
      return sealed;
    });
  }

  async replace(id: string, sealed: string, of?: RecordVersion): Promise<void> {
    await this.#tables.transact(async (rows) => {
      if (of !== undefined) await requireVersions(rows, [{ ...of, expect: of.version }]);
      await rows.put(SECRETS, [{ id, sealed }]);
    });
  }

  async removePrefix(prefix: string): Promise<void> {
    await this.#tables.transact(async (rows) => removeSecrets(rows, prefix));
  }

  async list(
    prefix: string,
    { after, limit }: { readonly after?: string; readonly limit: number },
  ): Promise<readonly SealedSecret[]> {
    const beyond = after === undefined ? {} : { after: { id: after } };
    return this.#tables.read(async (rows) => rows.list(SECRETS, { begins: prefix, ...beyond, limit }));
  }

  async orphans(limit: number): Promise<readonly string[]> {
    const orphans: string[] = [];
    for (const kind of OWNERS) {
      for (let after = ""; orphans.length < limit;) {
        const page = { begins: `${kind}/`, after: { id: after }, limit: AT_ONCE, columns: ["id"] } as const;
        const { ids, found } = await this.#tables.read(async (rows) => {
          const ids = (await rows.list(SECRETS, page)).map(({ id }) => id);
          return { ids, found: await withoutRecord(rows, kind, ids) };
        });
        for (const owner of found) if (owner !== orphans.at(-1)) orphans.push(owner);
        if (ids.length < AT_ONCE) break;
        after = ids.at(-1) ?? "";
      }
    }
    return orphans.slice(0, limit).toSorted(byText);
  }
}

/** All whose id begins with the prefix. */
export async function removeSecrets(rows: Rows, prefix: string): Promise<void> {
  await rows.remove(SECRETS, await rows.list(SECRETS, { begins: prefix, columns: ["id"] }));
}

/** Owners of these secrets of which there is neither a record nor a lease. */
async function withoutRecord(rows: ReadRows, kind: RecordKind, secrets: readonly string[]): Promise<readonly string[]> {
  const ids = [...new Set(secrets.map((id) => id.split("/")[1] ?? ""))];
  const keys = ids.map((id) => ({ kind, id }));
  const records = await rows.get(RECORDS, keys, ["id"]);
  const owners = ids.filter((_, index) => records[index] === undefined).map((id) => `${kind}/${id}`);
  const of = owners.map((scope) => ({ scope }));
  const leased = new Set((await rows.list(LEASES, { of, columns: ["scope"] })).map(({ scope }) => scope));
  return owners.filter((owner) => !leased.has(owner));
}
