import type { PlanStore, StoredPlan } from "../../contracts/store.ts";
import type { ReadRows, Tables } from "../../contracts/store/tables.ts";
import { fromJson, toJson } from "../json.ts";
import { byText } from "../order.ts";
import { PLANS } from "../tables/plans.ts";
import { TASKS } from "../tables/tasks.ts";
import { pagesOf } from "./pages.ts";
import { isOver } from "./task-states.ts";

type Named = Pick<StoredPlan, "id" | "task">;

const COLUMNS = ["id", "task", "expiresAt"] as const;

export class TablePlans implements PlanStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async put({ id, task, request, title, hash, sealed, expiresAt }: StoredPlan): Promise<void> {
    const row = { id, task, request: toJson(request), title, hash, sealed, expiresAt };
    await this.#tables.transact(async (rows) => rows.put(PLANS, [row]));
  }

  async get(id: string): Promise<StoredPlan | null> {
    const [row] = await this.#tables.read(async (rows) => rows.get(PLANS, [{ id }]));
    return row === undefined ? null : { ...row, request: fromJson(row.request) };
  }

  async expired(time: string, limit?: number): Promise<readonly Named[]> {
    return this.#tables.read(async (rows) => {
      const free: Named[] = [];
      const query = { by: "expiry", before: { expiresAt: time }, columns: COLUMNS };
      for await (const page of pagesOf(rows, PLANS, query, afterThat)) {
        for (const plan of await thoseThatMayGo(rows, page)) free.push(plan);
        if (free.length >= (limit ?? Infinity)) break;
      }
      return free.toSorted((a, b) => byText(a.id, b.id)).slice(0, limit);
    });
  }

  async surplus(keep: number, limit: number): Promise<readonly Named[]> {
    return this.#tables.read(async (rows) => {
      let more = (await rows.count(PLANS, { by: "expiry" })) - keep;
      const free: Named[] = [];
      for await (const page of pagesOf(rows, PLANS, { by: "expiry", columns: COLUMNS }, afterThat)) {
        if (more <= 0 || free.length >= limit) break;
        for (const plan of await thoseThatMayGo(rows, page.slice(0, more))) free.push(plan);
        more -= page.length;
      }
      return free.slice(0, limit);
    });
  }

  async remove(ids: readonly string[]): Promise<void> {
    const keys = ids.map((id) => ({ id }));
    await this.#tables.transact(async (rows) => rows.remove(PLANS, keys));
  }
}

function afterThat({ id, expiresAt }: Pick<StoredPlan, "id" | "expiresAt">): Partial<StoredPlan> {
  return { expiresAt, id };
}

async function thoseThatMayGo(rows: ReadRows, plans: readonly Named[]): Promise<readonly Named[]> {
  const keys = plans.map(({ task }) => ({ id: task }));
  const tasks = await rows.get(TASKS, keys, ["state"]);
  return plans.filter((_, index) => isOver(tasks[index]?.state ?? "undone")).map(({ id, task }) => ({ id, task }));
}
