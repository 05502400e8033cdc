import type { BookmarkStore, PlanStore, StoredPlan, TaskState } from "../../src/contracts/store.ts";
import { fromJson, toJson } from "../../src/store/json.ts";
import { requireLease } from "./held.ts";
import type { Tables } from "./tables.ts";

const OVER: readonly (TaskState | undefined)[] = [undefined, "succeeded", "undone"];

export function memoryPlans({ plans, tasks }: Tables): PlanStore {
  const mayGo = ({ task }: Pick<StoredPlan, "task">): boolean => OVER.includes(tasks.get(task)?.state);
  return {
    put: async (plan) => void plans.set(plan.id, { ...plan, request: fromJson(toJson(plan.request)) }),
    get: async (id) => plans.get(id) ?? null,
    expired: async (time, limit) =>
      [...plans.values()]
        .filter((plan) => plan.expiresAt < time && mayGo(plan))
        .map(({ id, task }) => ({ id, task }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    surplus: async (keep, limit) =>
      [...plans.values()]
        .toSorted((a, b) => (a.expiresAt + a.id < b.expiresAt + b.id ? -1 : 1))
        .slice(0, Math.max(0, plans.size - keep))
        .filter(mayGo)
        .slice(0, limit)
        .map(({ id, task }) => ({ id, task })),
    remove: async (ids) => {
      for (const id of ids) plans.delete(id);
    },
  };
}

export function memoryBookmarks(tables: Tables): BookmarkStore {
  const { bookmarks } = tables;
  return {
    get: async (name) => fromJson(bookmarks.get(name) ?? "null"),
    put: async (name, value, holder) => {
      if (holder !== undefined) requireLease(tables, name, holder);
      bookmarks.set(name, toJson(value));
    },
  };
}
