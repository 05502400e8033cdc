import type { TableDefinition } from "../../contracts/store/tables.ts";

/** Something under a name. */
export interface NamedRow<Of extends string | number> {
  readonly name: string;
  readonly value: Of;
}

/** Of the installation: see `identity.ts`. */
export const META: TableDefinition<NamedRow<string>, "name"> = {
  name: "meta",
  columns: { name: "text", value: "text" },
  key: ["name"],
  lists: {},
};

export const COUNTERS: TableDefinition<NamedRow<number>, "name"> = {
  name: "counters",
  columns: { name: "text", value: "integer" },
  key: ["name"],
  lists: {},
};

export const BOOKMARKS: TableDefinition<NamedRow<string>, "name"> = {
  name: "bookmarks",
  columns: { name: "text", value: "json" },
  key: ["name"],
  lists: {},
};
