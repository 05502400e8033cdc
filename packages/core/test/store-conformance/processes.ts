import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { StoredEvent } from "../../src/contracts/store.ts";
import { processHolder } from "../../src/store/holder.ts";
import { race } from "./child-process.ts";
import { type OpenHarness, type StoreHarness, use } from "./harness.ts";
import { aTask, running } from "./parts.ts";

export function processPromises(open: OpenHarness): void {
  describe("several processes", { timeout: 60_000 }, () => {
    it("agree on the installation", async () => {
      const harness = await use(open);
      const children = [start(harness, "identity"), start(harness, "identity"), start(harness, "identity")];
      const { installation, epoch } = await harness.store.identity();
      expect(installation).toMatch(/^[0-9a-f-]{36}$/);
      expect(epoch).toBeGreaterThanOrEqual(1);
      for (const child of children) expect(await child.ended()).toEqual([installation]);
    });

    it("submit with the same keys and get the same tasks", async () => {
      const harness = await use(open);
      const [one, two] = await Promise.all([
        start(harness, "submit", "a", "60").ended(),
        start(harness, "submit", "b", "60").ended(),
      ]);
      expect(one).toEqual(two);
      expect(await harness.store.tasks.list()).toHaveLength(60);
    });

    it("claim every task exactly once", async () => {
      const harness = await use(open);
      for (let n = 0; n < 80; n++) await harness.store.tasks.submit(aTask(`t${n}`));
      const won = (await Promise.all(["", "", ""].map(async () => start(harness, "claim").ended()))).flat();
      expect(won).toHaveLength(80);
      expect(new Set(won).size).toBe(80);
    });

    it("never get the same number", async () => {
      const harness = await use(open);
      const numbers = (await Promise.all(["", ""].map(async () => start(harness, "numbers", "100").ended()))).flat();
      expect(new Set(numbers).size).toBe(200);
    });

    it("never hold an exclusive lease at once", async () => {
      const harness = await use(open);
      const folder = mkdtempSync(join(tmpdir(), "hostwright-witness-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const children = ["a", "b", "c"].map((name) => start(harness, "exclude", name, join(folder, "held"), "25"));
      for (const child of children) expect(await child.ended()).toEqual(["done"]);
    });

    it("write events that a reader with a cursor gets all, once and in order", async () => {
      const harness = await use(open);
      const writers = [start(harness, "events", "a", "300"), start(harness, "events", "b", "300")];
      const found: StoredEvent[] = [];
      const read = async (): Promise<void> => {
        for (;;) {
          const page = await harness.store.events.after(found.at(-1)?.seq ?? 0, { limit: 7 });
          if (page.length === 0) return;
          found.push(...page);
        }
      };
      let writing = true;
      const ended = Promise.all(writers.map(async (writer) => writer.ended())).finally(() => (writing = false));
      while (writing) {
        await read();
        await sleep(0);
      }
      await ended;
      await read();
      expect(found).toEqual(await harness.store.events.after(0, { limit: 10_000 }));
      for (const name of ["a", "b"]) {
        const expected = Array.from({ length: 300 }, (_, n) =>
          n % 3 === 0 ? [`${name} ${n}`, `${name} ${n}b`] : [`${name} ${n}`],
        ).flat();
        expect(found.map(({ payload }) => payload).filter((text) => String(text).startsWith(name))).toEqual(expected);
      }
      // Only then did the reader race with both writers.
      const names = found.map(({ payload }) => String(payload).charAt(0));
      expect(names.filter((name, index) => index > 0 && name !== names[index - 1]).length).toBeGreaterThan(2);
    });
  });

  describe("a killed process", { timeout: 60_000 }, () => {
    it("leaves all journal rows that it was told are written, and no half transaction", async () => {
      const harness = await use(open);
      for (const run of [1, 2, 3, 4, 5]) {
        const child = start(harness, "journal", `t${run}`);
        await child.said(2);
        await sleep(run * 3);
        await child.kill();
        const rows = await harness.store.journal.read(`t${run}`);
        expect(rows.length % 10).toBe(0);
        expect(rows.length / 10).toBeGreaterThanOrEqual(child.lines.length);
        expect(rows.map(({ action }) => action)).toEqual(rows.map((_, index) => Math.floor(index / 10)));
      }
    });

    it("leaves each commit row with all of its records or none", async () => {
      const harness = await use(open);
      const child = start(harness, "commit");
      await child.said(3);
      await child.kill();
      const { journal, records, tasks } = harness.store;
      const sites = Map.groupBy(await records.list("site"), ({ id }) => id.split("-")[0]);
      const committed: string[] = [];
      for (const { id } of await tasks.list()) {
        const isCommitted = await journal.isCommitted(id);
        expect(sites.get(id)?.length ?? 0).toBe(isCommitted ? 100 : 0);
        if (isCommitted) committed.push(id);
      }
      expect(committed.length).toBeGreaterThanOrEqual(child.lines.length);
    });

    it("loses its leases to the next that asks, with a higher token, unless its task is unfinished", async () => {
      const { store, ...harness } = await use(open);
      await running(store, "unfinished");
      const children = [
        start({ store, ...harness }, "hold", "over", "site/s1", "site/s2"),
        start({ store, ...harness }, "hold", "unfinished", "site/s3", "site/s4"),
      ];
      for (const child of children) await child.said(1);
      const me = processHolder();
      const ask = async (task: string, scope: string) => store.leases.acquire(task, me, [{ scope, mode: "exclusive" }]);
      expect(await ask("next", "site/s1")).toHaveProperty("blockedBy");
      const before = Math.max(...(await store.leases.list()).map(({ token }) => token));
      for (const child of children) await child.kill();

      await expect.poll(async () => ask("next", "site/s1"), { timeout: 10_000 }).toHaveProperty("granted");
      expect(await ask("next", "site/s3")).toMatchObject({ blockedBy: [{ task: "unfinished", scope: "site/s3" }] });
      await expect.poll(async () => ask("unfinished", "site/s3"), { timeout: 10_000 }).toHaveProperty("granted");
      const after = await store.leases.list();
      expect(after.map(({ task, scope, holder }) => [task, scope, holder])).toEqual([
        ["next", "site/s1", me],
        ["unfinished", "site/s3", me],
        ["unfinished", "site/s4", me],
      ]);
      for (const { token } of after) expect(token).toBeGreaterThan(before);
    });
  });
}
