import type { TableDefinition } from "../../contracts/store/tables.ts";

export interface RegisterRow {
  readonly server: string;
  readonly type: string;
  readonly key: string;
  readonly owner: string;
  /** 1: it is. */
  readonly shared: number;
  readonly hash: string | null;
}

export const REGISTER: TableDefinition<RegisterRow, "server" | "type" | "key" | "owner"> = {
  name: "register",
  columns: { server: "text", type: "text", key: "text", owner: "text", shared: "integer", hash: "text?" },
  key: ["server", "type", "key", "owner"],
  lists: { owner: { columns: ["server", "owner", "type", "key"] } },
};
