import type { Lease } from "../../contracts/store.ts";
import type { TableDefinition } from "../../contracts/store/tables.ts";

export const LEASES: TableDefinition<Lease, "scope" | "task"> = {
  name: "leases",
  columns: {
    scope: "text",
    task: "text",
    mode: "text",
    token: "integer",
    holder: "text",
    heartbeat: "integer",
    lifeMs: "integer",
  },
  key: ["scope", "task"],
  lists: { task: { columns: ["task", "holder", "scope"] } },
};
