import type { SealedSecret } from "../../contracts/store.ts";
import type { TableDefinition } from "../../contracts/store/tables.ts";

export const SECRETS: TableDefinition<SealedSecret, "id"> = {
  name: "secrets",
  columns: { id: "text", sealed: "text" },
  key: ["id"],
  lists: {},
};
