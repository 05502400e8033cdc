import { describe, expect, it } from "vitest";
import { type OpenHarness, use } from "./harness.ts";
import { AT } from "./parts.ts";

const event = (task: string | null, n: number) => ({ at: AT, task, type: "task:log", payload: { n } });

export function eventPromises(open: OpenHarness): void {
  describe("events", () => {
    it("numbers events in rising order and replays them after a cursor, also to another handle", async () => {
      const { store, reopen } = await use(open);
      expect(await store.events.last()).toBe(0);
      expect(await store.events.append([])).toEqual([]);
      const written = await store.events.append([event("t1", 0), event(null, 1), event("t2", 2)]);
      const more = await store.events.append([event("t1", 3)]);
      const all = [...written, ...more];
      expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).toSorted((a, b) => a - b));
      expect(new Set(all.map(({ seq }) => seq)).size).toBe(4);
      const other = await reopen();
      expect(await other.events.after(0)).toEqual(all);
      expect(await other.events.after(written[1]?.seq ?? -1)).toEqual(all.slice(2));
      expect(await other.events.after(0, { task: "t1" })).toEqual([all[0], all[3]]);
      expect(await other.events.after(0, { limit: 2 })).toEqual(all.slice(0, 2));
      expect(await other.events.last()).toBe(all[3]?.seq);
      expect(await other.events.after(await other.events.last())).toEqual([]);
    });

    it("gives at most 500 at a time unless asked", async () => {
      const { store } = await use(open);
      await store.events.append(Array.from({ length: 600 }, (_, n) => event(null, n)));
      expect(await store.events.after(0)).toHaveLength(500);
      expect(await store.events.after(0, { limit: 1000 })).toHaveLength(600);
    });

    it("removes the oldest by their time, and tells up to where; cursors and numbers stay good", async () => {
      const { store, reopen } = await use(open);
      const at = (n: number) => ({ ...event("t1", n), at: `2026-01-0${n}T00:00:00.000Z` });
      const all = await store.events.append([1, 2, 5, 3, 6].map(at));
      expect(await store.events.removedUpTo()).toBe(0);
      expect(await store.events.remove({ before: at(1).at }, 9)).toBe(0);
      expect(await store.events.remove({ before: at(4).at }, 1)).toBe(1);
      expect(await store.events.removedUpTo()).toBe(all[0]?.seq);
      // What is left has no gap: a later one with an earlier time waits for those before it.
      expect(await store.events.remove({ before: at(4).at }, 9)).toBe(1);
      expect(await store.events.remove({ before: at(4).at }, 9)).toBe(0);
      const other = await reopen();
      expect(await other.events.removedUpTo()).toBe(all[1]?.seq);
      expect(await other.events.after(0)).toEqual(all.slice(2));
      expect(await store.events.remove({ before: at(9).at }, 9)).toBe(3);
      expect(await other.events.last()).toBe(all[4]?.seq);
      const [next] = await store.events.append([event(null, 9)]);
      expect(next?.seq).toBeGreaterThan(all[4]?.seq ?? 0);
    });

    it("removes events of one task, a few at a time", async () => {
      const { store } = await use(open);
      const all = await store.events.append([event("t1", 0), event("t2", 1), event("t1", 2), event("t1", 3)]);
      expect(await store.events.remove({ task: "t1" }, 2)).toBe(2);
      expect(await store.events.after(0)).toEqual([all[1], all[3]]);
      expect(await store.events.remove({ task: "t1" }, 2)).toBe(1);
      expect(await store.events.remove({ task: "t1" }, 2)).toBe(0);
      expect(await store.events.removedUpTo()).toBe(0);
    });

    it("keeps the order in which one process appended, without waiting for each", async () => {
      const { store } = await use(open);
      await Promise.all(Array.from({ length: 100 }, async (_, n) => store.events.append([event(null, n)])));
      const found = await store.events.after(0);
      expect(found.map(({ payload }) => (payload as { n: number }).n)).toEqual([...Array(100).keys()]);
    });
  });
}
