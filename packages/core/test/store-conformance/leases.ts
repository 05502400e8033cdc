import * as fc from "fast-check"; 
import { describe, expect, it } from "vitest";
import type { Lease, LeaseRequest, LeaseStore } from "../../src/contracts/store.ts";
import { processHolder } from "../../src/store/holder.ts";
import { type OpenHarness, use } from "./harness.ts";
import { running } from "./parts.ts";

// Two processes that live as long as this test does.
const ME = processHolder();
const OTHER = processHolder(process.ppid);

const exclusive = (scope: string): LeaseRequest => ({ scope, mode: "exclusive" });
const shared = (scope: string): LeaseRequest => ({ scope, mode: "shared" });

async function granted(
  leases: LeaseStore,
  task: string,
  scopes: readonly LeaseRequest[],
  holder = ME,
): Promise<readonly Lease[]> {
  const result = await leases.acquire(task, holder, scopes);
  expect(result).toHaveProperty("granted");
  return "granted" in result ? result.granted : [];
}

async function blockers(
  leases: LeaseStore,
  task: string,
  scopes: readonly LeaseRequest[],
  holder = ME,
): Promise<readonly string[]> {
  const result = await leases.acquire(task, holder, scopes);
  expect(result).toHaveProperty("blockedBy");
  return "blockedBy" in result ? result.blockedBy.map((lease) => `${lease.task} ${lease.scope}`) : [];
}

export function leasePromises(open: OpenHarness): void {
  describe("leases", () => {
    it("lets shared leases stand side by side, and an exclusive one alone", async () => {
      const {
        store: { leases },
        reopen,
      } = await use(open);
      const other = (await reopen()).leases;
      await granted(leases, "t1", [shared("server/v1"), exclusive("site/s1")]);
      await granted(other, "t2", [shared("server/v1"), exclusive("site/s2")], OTHER);
      expect(await blockers(other, "t3", [exclusive("server/v1")])).toEqual(["t1 server/v1", "t2 server/v1"]);
      expect(await blockers(other, "t3", [shared("site/s1")])).toEqual(["t1 site/s1"]);
      expect(await blockers(other, "t3", [exclusive("site/s2"), exclusive("site/s3")])).toEqual(["t2 site/s2"]);
      expect((await leases.list()).filter((lease) => lease.task === "t3")).toEqual([]);
    });

    it("raises the token with each grant, and gives the same leases to who holds them", async () => {
      const {
        store: { leases },
      } = await use(open);
      const [first] = await granted(leases, "t1", [exclusive("site/s1")]);
      expect(first).toMatchObject({ scope: "site/s1", mode: "exclusive", task: "t1", holder: ME, heartbeat: 0 });
      const again = await granted(leases, "t1", [exclusive("site/s1"), shared("server/v1")]);
      expect(again.find(({ scope }) => scope === "site/s1")).toEqual(first);
      const added = again.find(({ scope }) => scope === "server/v1");
      expect(added?.token).toBeGreaterThan(first?.token ?? Infinity);
      await leases.release("t1");
      const [next] = await granted(leases, "t2", [exclusive("site/s1")]);
      expect(next?.token).toBeGreaterThan(added?.token ?? Infinity);
    });

    it("makes a shared lease exclusive only when nobody else shares it", async () => {
      const {
        store: { leases },
      } = await use(open);
      await granted(leases, "t1", [shared("server/v1")]);
      await granted(leases, "t2", [shared("server/v1")]);
      expect(await blockers(leases, "t1", [exclusive("server/v1")])).toEqual(["t2 server/v1"]);
      await leases.release("t2");
      const [upgraded] = await granted(leases, "t1", [exclusive("server/v1"), shared("server/v1")]);
      expect(upgraded?.mode).toBe("exclusive");
      expect((await granted(leases, "t1", [shared("server/v1")]))[0]).toEqual(upgraded);
    });

    it("gives a task to one living holder only", async () => {
      const {
        store: { leases },
      } = await use(open);
      await granted(leases, "t1", [exclusive("site/s1")]);
      expect(await blockers(leases, "t1", [exclusive("site/s1")], OTHER)).toEqual(["t1 site/s1"]);
      expect(await blockers(leases, "t1", [exclusive("site/s2")], OTHER)).toEqual(["t1 site/s1"]);
      expect(await leases.heartbeat("t1", OTHER)).toBe(false);
      expect(await leases.heartbeat("t1", ME)).toBe(true);
      expect(await leases.list()).toMatchObject([{ scope: "site/s1", holder: ME, heartbeat: 1 }]);
    });

    it("releases what was named, and with a holder only what is still its own", async () => {
      const {
        store: { leases },
      } = await use(open);
      await granted(leases, "t1", [exclusive("site/s1"), shared("server/v1"), shared("server/v2")]);
      await leases.release("t1", ["server/v1", "server/other"]);
      await leases.release("t1", undefined, OTHER);
      expect((await leases.list()).map(({ scope }) => scope)).toEqual(["server/v2", "site/s1"]);
      await leases.release("t1", ["server/v2"], ME);
      await leases.release("t1");
      expect(await leases.list()).toEqual([]);
      expect(await leases.heartbeat("t1", ME)).toBe(false);
    });

    it("keeps a task that needs attention leased", async () => {
      const { store } = await use(open);
      await running(store, "t1");
      await granted(store.leases, "t1", [exclusive("site/s1")], "1:1:00000000-0000-0000-0000-000000000000");
      await store.tasks.move("t1", ["running"], "needs-attention");
      expect(await blockers(store.leases, "t2", [exclusive("site/s1")])).toEqual(["t1 site/s1"]);
    });

    it("never grants two exclusive ones, or an exclusive with a shared one, all or none (any sequence)", async () => {
      const {
        store: { leases },
      } = await use(open);
      const tasks = ["t1", "t2", "t3", "t4"];
      const step = fc.record({
        task: fc.constantFrom(...tasks),
        holder: fc.constantFrom(ME, OTHER),
        scopes: fc.array(
          fc.record({
            scope: fc.constantFrom("site/s1", "site/s2", "server/v1"),
            mode: fc.constantFrom("shared" as const, "exclusive" as const),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        verb: fc.constantFrom("acquire", "acquire", "acquire", "release", "heartbeat"),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
          for (const task of tasks) await leases.release(task);
          for (const { task, holder, scopes, verb } of steps) {
            const before = await leases.list();
            if (verb === "release")
              await leases.release(
                task,
                scopes.map(({ scope }) => scope),
              );
            else if (verb === "heartbeat") await leases.heartbeat(task, holder);
            else {
              const result = await leases.acquire(task, holder, scopes);
              const after = await leases.list();
              if ("blockedBy" in result) {
                expect(result.blockedBy.length).toBeGreaterThan(0);
                expect(after).toEqual(before);
              } else {
                for (const { scope, mode } of scopes) {
                  const held = after.find((lease) => lease.task === task && lease.scope === scope);
                  expect(held?.holder).toBe(holder);
                  if (mode === "exclusive") expect(held?.mode).toBe("exclusive");
                }
              }
            }
            const held = Map.groupBy(await leases.list(), (lease) => lease.scope);
            for (const some of held.values())
              expect(some.length === 1 || some.every(({ mode }) => mode === "shared")).toBe(true);
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}
