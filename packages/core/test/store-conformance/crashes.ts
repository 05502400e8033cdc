import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { processHolder } from "../../src/store/holder.ts";
import { race } from "./child-process.ts";
import { type Lacking, type OpenHarness, use } from "./harness.ts";
import { running } from "./parts.ts";

/** What stands after `kill -9`. A loss of power needs a machine of its own: here it rests on `synchronous`. */
export function crashPromises(open: OpenHarness, { processes }: Lacking): void {
  describe("a killed process", { timeout: 60_000 }, () => {
    beforeEach(({ skip }) => {
      if (processes !== undefined) skip(processes);
    });

    it("leaves all journal rows that it was told are written, and no half transaction", async () => {
      const harness = await use(open);
      for (const run of [1, 2, 3, 4, 5]) {
        const [child] = await race(harness, [["journal", `t${run}`]]);
        await child?.said(2);
        await sleep(run * 3);
        await child?.kill();
        const rows = await harness.store.journal.read(`t${run}`);
        expect(rows.length % 10).toBe(0);
        expect(rows.length / 10).toBeGreaterThanOrEqual(child?.lines.length ?? Infinity);
        expect(rows.map(({ action }) => action)).toEqual(rows.map((_, index) => Math.floor(index / 10)));
      }
    });

    it("leaves each commit row with all of its records or none", async () => {
      const harness = await use(open);
      const [child] = await race(harness, [["commit"]]);
      await child?.said(3);
      await child?.kill();
      const { journal, records, tasks } = harness.store;
      const sites = Map.groupBy(await records.list("site"), ({ id }) => id.split("-")[0]);
      let commits = 0;
      for (const { id } of await tasks.list()) {
        const isCommitted = await journal.isCommitted(id);
        expect(sites.get(id)?.length ?? 0).toBe(isCommitted ? 100 : 0);
        commits += Number(isCommitted);
      }
      expect(commits).toBeGreaterThanOrEqual(child?.lines.length ?? Infinity);
    });

    it("loses its leases to the next that asks, with a higher token, unless its task is unfinished", async () => {
      const harness = await use(open);
      const { store } = harness;
      await running(store, "unfinished");
      const children = await race(harness, [
        ["hold", "over", "site/s1", "site/s2"],
        ["hold", "unfinished", "site/s3", "site/s4"],
      ]);
      for (const child of children) await child.said(1);
      const me = processHolder();
      const ask = async (task: string, scope: string) => store.leases.acquire(task, me, [{ scope, mode: "exclusive" }]);
      expect(await ask("next", "site/s1")).toHaveProperty("blockedBy");
      expect(await ask("unfinished", "site/s3")).toHaveProperty("blockedBy");
      const before = Math.max(...(await store.leases.list()).map(({ token }) => token));
      for (const child of children) await child.kill();

      // Another store may judge by heartbeats, which takes its time to live.
      await expect.poll(async () => ask("next", "site/s1")).toHaveProperty("granted");
      expect(await ask("next", "site/s3")).toMatchObject({ blockedBy: [{ task: "unfinished", scope: "site/s3" }] });
      await expect.poll(async () => ask("unfinished", "site/s3")).toHaveProperty("granted");
      const after = await store.leases.list();
      expect(after.map(({ task, scope, holder }) => [task, scope, holder])).toEqual([
        ["next", "site/s1", me],
        ["unfinished", "site/s3", me],
        ["unfinished", "site/s4", me],
      ]);
      expect(Math.min(...after.map(({ token }) => token))).toBeGreaterThan(before);
    });
  });
}
