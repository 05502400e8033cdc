import { describe, expect, it } from "vitest";
import type { Lease, LeaseRequest, LeaseStore } from "../../src/contracts/store.ts";
import { GONE, ME, OTHER } from "./holders.ts";
import { type OpenHarness, use } from "./harness.ts";
import { running } from "./parts.ts";

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

    it("that were handed over are recovered at once, by whoever asks for their task and by nobody else", async () => {
      const { store } = await use(open);
      await running(store, "t1");
      await granted(store.leases, "t1", [exclusive("site/s1"), exclusive("task/t1")]);
      await store.leases.handOver("t1", OTHER);
      expect(await blockers(store.leases, "t1", [exclusive("task/t1")], OTHER)).toEqual(["t1 site/s1", "t1 task/t1"]);
      await store.leases.handOver("t1", ME);
      expect(await store.leases.heartbeat("t1", ME)).toBe(false);
      expect(await blockers(store.leases, "t2", [exclusive("site/s1")], OTHER)).toEqual(["t1 site/s1"]);
      await granted(store.leases, "t1", [exclusive("task/t1")], OTHER);
      const holders = (await store.leases.list()).map(({ scope, holder }) => [scope, holder]);
      expect(holders).toEqual([
        ["site/s1", OTHER],
        ["task/t1", OTHER],
      ]);
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

    it("serves who came first: who asks later waits behind those that wait for the same", async () => {
      const {
        store: { leases },
        reopen,
      } = await use(open);
      const other = (await reopen()).leases;
      await granted(leases, "t1", [shared("server/v1"), exclusive("site/s1")]);
      expect(await blockers(leases, "t2", [exclusive("server/v1")])).toEqual(["t1 server/v1"]);
      const third = [shared("server/v1"), exclusive("site/s3")];
      expect(await blockers(other, "t3", third, OTHER)).toEqual(["t2 server/v1"]);
      expect(await other.waiting("t3")).toEqual([{ task: "t2", scope: "server/v1", waiting: true, dead: false }]);
      await granted(other, "t4", [exclusive("site/s4")], OTHER);
      await leases.release("t1");
      expect(await leases.waiting("t2")).toEqual([]);
      expect(await blockers(other, "t3", third, OTHER)).toEqual(["t2 server/v1"]);
      await granted(leases, "t2", [exclusive("server/v1")]);
      expect(await leases.waiting("t2")).toBeNull();
      expect(await blockers(other, "t3", third, OTHER)).toEqual(["t2 server/v1"]);
      await leases.release("t2");
      await granted(other, "t3", third, OTHER);
    });

    it("keeps a place however often it asks and whoever holds the task, until all of it is released", async () => {
      const { store } = await use(open);
      const { leases } = store;
      await running(store, "t2");
      await granted(leases, "t1", [exclusive("site/s1")]);
      expect(await blockers(leases, "t2", [exclusive("site/s1")], GONE)).toEqual(["t1 site/s1"]);
      // Nobody asks for it now.
      expect(await blockers(leases, "t3", [exclusive("site/s1")])).toEqual(["t1 site/s1"]);
      expect(await blockers(leases, "t2", [exclusive("site/s1"), exclusive("site/s2")])).toEqual(["t1 site/s1"]);
      expect(await blockers(leases, "t3", [exclusive("site/s1")])).toEqual(["t1 site/s1", "t2 site/s1"]);
      await leases.release("t2", ["site/s1"]);
      expect(await leases.waiting("t2")).not.toBeNull();
      await leases.release("t2", undefined, OTHER);
      expect(await leases.waiting("t2")).not.toBeNull();
      await leases.release("t2");
      expect(await leases.waiting("t2")).toBeNull();
      await leases.release("t1");
      await granted(leases, "t3", [exclusive("site/s1")]);
    });

    it("is held up by no place of a finished task, or of one that waits for what needs attention", async () => {
      const { store } = await use(open);
      const { leases, tasks } = store;
      for (const id of ["t1", "t2", "t3"]) await running(store, id);
      await granted(leases, "t1", [exclusive("site/s1")]);
      await granted(leases, "t0", [shared("server/v1")]);
      expect(await blockers(leases, "t2", [exclusive("server/v1")])).toEqual(["t0 server/v1"]);
      expect(await blockers(leases, "t3", [shared("server/v1"), exclusive("site/s1")])).toHaveLength(2);
      await tasks.move("t2", ["running"], "undone");
      await tasks.move("t1", ["running"], "needs-attention");
      await leases.release("t0");
      await granted(leases, "t4", [exclusive("server/v1")]);
    });

    it("lets who has what others wait for go before them", async () => {
      const {
        store: { leases },
      } = await use(open);
      await granted(leases, "t1", [shared("server/v1")]);
      expect(await blockers(leases, "t2", [exclusive("server/v1"), exclusive("site/s1")])).toEqual(["t1 server/v1"]);
      await granted(leases, "t1", [shared("server/v1"), exclusive("site/s1")]);
    });

    it("keeps a task that needs attention leased", async () => {
      const { store } = await use(open);
      await running(store, "t1");
      await granted(store.leases, "t1", [exclusive("site/s1")], GONE);
      await store.tasks.move("t1", ["running"], "needs-attention");
      expect(await blockers(store.leases, "t2", [exclusive("site/s1")])).toEqual(["t1 site/s1"]);
    });

    it("gives the leases of a task that needs attention to who resolves it, before all who wait for them", async () => {
      const { store } = await use(open);
      await running(store, "t1");
      const [first] = await granted(store.leases, "t1", [exclusive("site/s1")], OTHER);
      await blockers(store.leases, "t2", [exclusive("site/s1")]);
      await store.tasks.move("t1", ["running"], "needs-attention");
      await granted(store.leases, "t1", [exclusive("task/t1")]);
      const [lease] = await store.leases.list();
      expect(lease).toMatchObject({ scope: "site/s1", task: "t1", holder: ME });
      expect(lease?.token).toBeGreaterThan(first?.token ?? Infinity);
    });
  });
}
