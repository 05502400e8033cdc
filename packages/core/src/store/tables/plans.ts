import type { StoredPlan } from "../../contracts/store.ts";
import type { TableDefinition } from "../../contracts/store/tables.ts";

export interface PlanRow extends Omit<StoredPlan, "request"> {
  readonly request: string;
}

export const PLANS: TableDefinition<PlanRow, "id"> = {
  name: "plans",
  columns: {
    id: "text",
    task: "text",
    request: "json",
    title: "text",
    hash: "text",
    sealed: "text?",
    expiresAt: "text",
  },
  key: ["id"],
  lists: { expiry: { columns: ["expiresAt", "id"] } },
};
