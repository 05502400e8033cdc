import type { BookmarkStore } from "../../contracts/store.ts";
import type { Tables } from "../../contracts/store/tables.ts";
import { fromJson, toJson } from "../json.ts";
import { BOOKMARKS } from "../tables/named.ts";
import { requireLease } from "./held-tables.ts";

export class TableBookmarks implements BookmarkStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async get(name: string): Promise<unknown> {
    const [row] = await this.#tables.read(async (rows) => rows.get(BOOKMARKS, [{ name }]));
    return row === undefined ? null : fromJson(row.value);
  }

  async put(name: string, value: unknown, holder?: string): Promise<void> {
    await this.#tables.transact(async (rows) => {
      if (holder !== undefined) await requireLease(rows, name, holder);
      await rows.put(BOOKMARKS, [{ name, value: toJson(value) }]);
    });
  }
}
