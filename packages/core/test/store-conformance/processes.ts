import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { StateStore, StoredEvent } from "../../src/contracts/store.ts";
import { race, type Scenario } from "./child-process.ts";
import { type Lacking, type OpenHarness, type StoreHarness, use } from "./harness.ts";
import { aTask } from "./parts.ts";

const WRITTEN = 400;

/** Lines of each of the children that ran at once. */
async function runAll(harness: StoreHarness, ...scenarios: Scenario[]): Promise<readonly (readonly string[])[]> {
  const children = await race(harness, scenarios);
  return Promise.all(children.map(async (child) => child.ended()));
}

/** Follows a cursor in small pages until `ended`, and then to the end. */
async function follow(store: StateStore, ended: Promise<unknown>): Promise<readonly StoredEvent[]> {
  const found: StoredEvent[] = [];
  const over = ended.then(() => true);
  for (;;) {
    const isOver = await Promise.race([over, sleep(0, false)]);
    for (;;) {
      const page = await store.events.after(found.at(-1)?.seq ?? 0, { limit: 7 });
      if (page.length === 0) break;
      found.push(...page);
    }
    if (isOver) return found;
  }
}

export function processPromises(open: OpenHarness, { processes }: Lacking): void {
  describe("several processes", { timeout: 60_000 }, () => {
    beforeEach(({ skip }) => {
      if (processes !== undefined) skip(processes);
    });

    it("agree on the installation", async () => {
      const harness = await use(open);
      const { installation, epoch } = await harness.store.identity();
      expect(installation).toMatch(/^[0-9a-f-]{36}$/);
      expect(epoch).toBeGreaterThanOrEqual(1);
      expect(await runAll(harness, ["identity"], ["identity"])).toEqual([[installation], [installation]]);
    });

    it("submit with the same keys and get the same tasks", async () => {
      const harness = await use(open);
      const [one, two] = await runAll(harness, ["submit", "a", "60"], ["submit", "b", "60"]);
      expect(one).toEqual(two);
      expect(await harness.store.tasks.list()).toHaveLength(60);
    });

    it("claim every task exactly once", async () => {
      const harness = await use(open);
      for (let n = 0; n < 80; n++) await harness.store.tasks.submit(aTask(`t${n}`));
      const won = (await runAll(harness, ["claim"], ["claim"], ["claim"])).flat();
      expect(won).toHaveLength(80);
      expect(new Set(won).size).toBe(80);
    });

    it("never get the same number", async () => {
      const harness = await use(open);
      const numbers = (await runAll(harness, ["numbers", "100"], ["numbers", "100"])).flat();
      expect(new Set(numbers).size).toBe(200);
    });

    it("never hold an exclusive lease at once", async () => {
      const harness = await use(open);
      const folder = mkdtempSync(join(tmpdir(), "hostwright-witness-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const scenarios = ["a", "b", "c"].map((name): Scenario => ["exclude", name, join(folder, "held"), "25"]);
      expect(await runAll(harness, ...scenarios)).toEqual([["done"], ["done"], ["done"]]);
    });

    it("write events that a reader with a cursor gets all, once and in order", async () => {
      const harness = await use(open);
      const writers = runAll(harness, ["events", "a", String(WRITTEN)], ["events", "b", String(WRITTEN)]);
      const found = await follow(harness.store, writers);
      expect(found).toEqual(await harness.store.events.after(0, { limit: 10_000 }));
      const texts = found.map(({ payload }) => String(payload));
      for (const name of ["a", "b"]) {
        const expected = Array.from({ length: WRITTEN }, (_, n) =>
          n % 3 === 0 ? [`${name} ${n}`, `${name} ${n}b`] : [`${name} ${n}`],
        );
        expect(texts.filter((text) => text.startsWith(name))).toEqual(expected.flat());
      }
      // They did write at the same time, else this proved nothing.
      const turns = texts.filter((text, index) => index > 0 && text[0] !== texts[index - 1]?.[0]);
      expect(turns.length).toBeGreaterThan(10);
    });
  });
}
