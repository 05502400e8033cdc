import type { BookmarkStore, PlanStore } from "../../src/contracts/store.ts";
import { fromJson, toJson } from "../../src/store/sqlite/json.ts";
import type { Tables } from "./tables.ts";

export function memoryPlans({ plans }: Tables): PlanStore {
  return {
    put: async (plan) => void plans.set(plan.id, { ...plan, request: fromJson(toJson(plan.request)) }),
    get: async (id) => plans.get(id) ?? null,
    expired: async (time, limit) =>
      [...plans.values()]
        .filter(({ expiresAt }) => expiresAt < time)
        .map(({ id, task }) => ({ id, task }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    surplus: async (keep, limit) =>
      [...plans.values()]
        .toSorted((a, b) => (a.expiresAt + a.id < b.expiresAt + b.id ? -1 : 1))
        .slice(0, Math.max(0, plans.size - keep))
        .slice(0, limit)
        .map(({ id, task }) => ({ id, task })),
    remove: async (ids) => {
      for (const id of ids) plans.delete(id);
    },
  };
}

export function memoryBookmarks({ bookmarks }: Tables): BookmarkStore {
  return {
    get: async (name) => fromJson(bookmarks.get(name) ?? "null"),
    put: async (name, value) => void bookmarks.set(name, toJson(value)),
  };
}
