import { describe, expect, it } from "vitest";
import type { Lease, LeaseRequest, LeaseStore } from "../../src/contracts/store.ts";
import { GONE, ME, OTHER } from "./holders.ts";
import { type OpenHarness, use } from "./harness.ts";
import { aTask, ended, running } from "./parts.ts";

const exclusive = (scope: string): LeaseRequest => ({ scope, mode: "exclusive" });
const NONE: ReadonlySet<string> = new Set();
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

/** The scopes that it got. */
async function claimed(leases: LeaseStore, task: string, holder = ME): Promise<readonly string[]> {
  const answer = await leases.claim(task, holder);
  expect(answer).toHaveProperty("granted");
  return answer !== null && "granted" in answer ? answer.granted.map(({ scope }) => scope) : [];
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

    it("find who is next, and who is in front, behind any number that wait for others", async () => {
      const { store } = await use(open);
      const { leases, tasks } = store;
      await running(store, "holder");
      await granted(leases, "holder", [exclusive("site/stuck"), exclusive("site/many")]);
      for (let n = 0; n < 40; n++) {
        const scope = n % 2 === 0 ? "site/stuck" : `site/own${n}`;
        await tasks.submit(aTask(`w${n}`), { subject: scope, scopes: [exclusive(scope), exclusive("site/many")] });
      }
      await tasks.submit(aTask("free"), { subject: "site/free", scopes: [exclusive("site/free")] });
      await tasks.submit(aTask("late"), {
        subject: "site/late",
        scopes: [exclusive("site/late"), shared("site/many")],
      });
      expect(await leases.next(NONE)).toBe("free");
      expect(await leases.next(new Set(["free"]))).toBeNull();
      expect((await leases.waiting("late"))?.map(({ task }) => task)).toContain("w39");
      expect(await claimed(leases, "free", OTHER)).toEqual(["site/free", "task/free"]);
      await leases.release("holder");
      expect(await leases.next(NONE)).toBe("w0");
      expect(await leases.next(new Set(["w0"]))).toBe("w1");
      expect(await leases.next(new Set(Array.from({ length: 39 }, (_, n) => `w${n}`)))).toBe("w39");
      expect(await leases.claim("w1", OTHER)).toMatchObject({ blockedBy: [{ task: "w0" }] });
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

    it("says of each lease how long its holder may be silent, and of one that was taken over what the new one promised", async () => {
      const {
        store: { leases },
      } = await use(open);
      await granted(leases, "t1", [exclusive("site/s1")]);
      await leases.handOver("t1", ME);
      await granted(leases, "t1", [exclusive("server/v1")], OTHER);
      expect((await leases.list()).map(({ lifeMs }) => lifeMs)).toEqual([leases.lifeMs, leases.lifeMs]);
      expect(leases.lifeMs).toBeGreaterThan(0);
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

    it("puts tasks in line in the order of their submission, and claims none before its turn", async () => {
      const { store, reopen } = await use(open);
      const { leases, tasks } = store;
      const other = (await reopen()).leases;
      const server = [exclusive("server/v1")];
      const third = [shared("server/v1"), exclusive("site/s3")];
      await tasks.submit(aTask("t1"), { subject: "site/s1", scopes: [shared("server/v1"), exclusive("site/s1")] });
      await tasks.submit(aTask("t2"), { subject: "server/v1", scopes: server });
      await tasks.submit(aTask("t3"), { subject: "site/s3", scopes: third });
      await tasks.submit(aTask("t4"), { subject: "site/s4", scopes: [exclusive("site/s4")] });
      expect(await leases.next(NONE)).toBe("t1");
      expect(await claimed(leases, "t1")).toEqual(["server/v1", "site/s1", "task/t1"]);
      expect(await tasks.state("t1")).toBe("running");
      expect(await other.claim("t3", OTHER)).toEqual({
        blockedBy: [{ task: "t2", scope: "server/v1", waiting: true, dead: false }],
      });
      expect(await other.waiting("t3")).toEqual([{ task: "t2", scope: "server/v1", waiting: true, dead: false }]);
      expect(await other.next(NONE)).toBe("t4");
      expect(await claimed(other, "t4", OTHER)).toEqual(["site/s4", "task/t4"]);
      expect(await other.next(NONE)).toBeNull();
      expect(await leases.waiting("t1")).toBeNull();
      await leases.release("t1");
      expect(await other.next(NONE)).toBe("t2");
      expect(await leases.waiting("t2")).toEqual([]);
      expect(await claimed(leases, "t2")).toEqual(["server/v1", "task/t2"]);
      expect(await leases.claim("t2", OTHER)).toBeNull();
      expect(await leases.next(NONE)).toBeNull();
      await leases.release("t2");
      expect(await leases.next(NONE)).toBe("t3");
    });

    it("works the tasks of one subject one after the other, passing over those that it is told to", async () => {
      const { store } = await use(open);
      const wants = { subject: "site/s1", scopes: [exclusive("site/s1")] };
      for (const id of ["t1", "t2", "t3"]) await store.tasks.submit(aTask(id), wants);
      expect(await store.leases.next(NONE)).toBe("t1");
      expect(await store.leases.next(new Set(["t1"]))).toBe("t2");
      expect(await store.leases.claim("t2", ME)).toMatchObject({ blockedBy: [{ task: "t1", waiting: true }] });
      const answer = await store.leases.claim("t2", ME, new Set(["t1"]));
      expect(answer).toHaveProperty("granted");
      expect(await store.leases.next(NONE)).toBeNull();
      expect(await store.leases.waiting("t3")).toMatchObject([
        { task: "t2", waiting: false },
        { task: "t1", waiting: true },
      ]);
    });

    it("puts a task back to its place in line, without any lease, and only for its holder", async () => {
      const { store } = await use(open);
      const { leases, tasks } = store;
      for (const id of ["t1", "t2", "t3"]) await tasks.submit(aTask(id));
      for (const id of ["t1", "t3"]) await claimed(leases, id);
      const more = [exclusive("site/s1")];
      expect(await leases.putBack("t1", OTHER, more)).toBe(false);
      expect(await leases.putBack("t2", ME, more)).toBe(false);
      expect(await leases.putBack("t1", ME, more)).toBe(true);
      expect(await tasks.state("t1")).toBe("queued");
      expect((await leases.list()).map(({ task }) => task)).toEqual(["t3"]);
      expect(await blockers(leases, "t3", [exclusive("site/s1")])).toEqual(["t1 site/s1"]);
      expect(await leases.next(NONE)).toBe("t1");
      await tasks.move("t3", ["running"], "cancelling");
      expect(await leases.putBack("t3", ME, more)).toBe(false);
    });

    it("has a task that was put back wait for what it had and for more, each at its strongest", async () => {
      const { store } = await use(open);
      const { leases, tasks } = store;
      const had = [exclusive("site/s1"), shared("server/v1"), shared("server/v2")];
      await tasks.submit(aTask("t1"), { subject: "site/s1", scopes: had });
      await tasks.submit(aTask("t2"));
      await tasks.submit(aTask("t3"), { subject: "site/s1", scopes: [exclusive("site/s1")] });
      for (const id of ["t1", "t2"]) await claimed(leases, id);
      expect(await leases.putBack("t1", ME, [exclusive("server/v1"), shared("site/s1"), shared("server/v3")])).toBe(
        true,
      );
      for (const blocked of ["site/s1", "server/v1"])
        expect(await blockers(leases, "t2", [shared(blocked)])).toEqual([`t1 ${blocked}`]);
      await granted(leases, "t2", [shared("server/v2"), shared("server/v3")]);
      expect((await leases.waiting("t3"))?.map(({ task }) => task)).toEqual(["t1"]);
      await claimed(leases, "t1");
      const own = (await leases.list())
        .filter(({ task }) => task === "t1")
        .map(({ scope, mode }) => `${scope} ${mode}`);
      expect(own).toEqual([
        "server/v1 exclusive",
        "server/v2 shared",
        "server/v3 shared",
        "site/s1 exclusive",
        "task/t1 exclusive",
      ]);
    });

    it("keeps a task that is blocked in line until it is granted or over, whoever holds it", async () => {
      const { store } = await use(open);
      const { leases } = store;
      for (const id of ["t1", "t2", "t3"]) await running(store, id);
      await granted(leases, "t1", [exclusive("site/s1")]);
      await granted(leases, "t3", [exclusive("site/s3")]);
      expect(await blockers(leases, "t2", [exclusive("site/s1")], GONE)).toEqual(["t1 site/s1"]);
      expect(await blockers(leases, "t3", [exclusive("site/s1")])).toEqual(["t1 site/s1", "t2 site/s1"]);
      await leases.release("t1");
      expect(await blockers(leases, "t3", [exclusive("site/s1")])).toEqual(["t2 site/s1"]);
      await granted(leases, "t2", [exclusive("site/s1")]);
      expect(await leases.waiting("t2")).toBeNull();
      await leases.release("t2");
      await granted(leases, "t3", [exclusive("site/s1")]);
    });

    it("grants nothing of a task that its holder has put back or ended meanwhile", async () => {
      const { store } = await use(open);
      const { leases } = store;
      const own = (task: string): LeaseRequest[] => [exclusive(`task/${task}`)];
      for (const id of ["t1", "t2"]) await store.tasks.submit(aTask(id));
      for (const id of ["t1", "t2"]) await claimed(leases, id);
      await leases.putBack("t1", ME, [exclusive("site/s1")]);
      expect(await leases.acquire("t1", OTHER, own("t1"))).toEqual({ blockedBy: [] });
      expect(await leases.next(NONE)).toBe("t1");
      await ended(store, "t2", "running", "succeeded");
      expect(await blockers(leases, "t2", own("t2"), OTHER)).toEqual(["t2 task/t2"]);
      await leases.handOver("t2", ME);
      await granted(leases, "t2", own("t2"), OTHER);
      await leases.release("t2");
      expect(await leases.acquire("t2", OTHER, own("t2"))).toEqual({ blockedBy: [] });
      expect(await leases.list()).toEqual([]);
    });

    it("lets nobody wait behind a finished task, or one that waits for what needs attention", async () => {
      const { store } = await use(open);
      const { leases } = store;
      for (const id of ["t1", "t2", "t3", "t4"]) await running(store, id);
      await granted(leases, "t1", [exclusive("site/s1")]);
      await granted(leases, "t0", [shared("server/v1")]);
      expect(await blockers(leases, "t2", [exclusive("server/v1")])).toEqual(["t0 server/v1"]);
      expect(await blockers(leases, "t3", [shared("server/v1"), exclusive("site/s1")])).toHaveLength(2);
      await ended(store, "t2", "running", "undone");
      await ended(store, "t1", "running", "needs-attention");
      await leases.release("t0");
      await granted(leases, "t4", [exclusive("server/v1")]);
    });

    it("leaves a dead holder's ended task its own lease, by which its end is told, when another task takes the others over", async () => {
      const { store } = await use(open);
      const { leases } = store;
      for (const id of ["t1", "t2"]) await running(store, id);
      await granted(leases, "t1", [exclusive("site/s1"), shared("server/v1"), exclusive("task/t1")], GONE);
      await ended(store, "t1", "running", "undone");
      await granted(leases, "t2", [exclusive("site/s1")]);
      const left = (await leases.list()).filter(({ task }) => task === "t1").map(({ scope }) => scope);
      expect(left).toEqual(["task/t1"]);
    });

    it("lets who has what others wait for go before them", async () => {
      const { store } = await use(open);
      const { leases } = store;
      for (const id of ["t1", "t2"]) await running(store, id);
      await granted(leases, "t2", [shared("server/v1")]);
      expect(await blockers(leases, "t1", [exclusive("server/v1"), exclusive("site/s1")])).toEqual(["t2 server/v1"]);
      await granted(leases, "t2", [shared("server/v1"), exclusive("site/s1")]);
    });

    it("keeps a task that needs attention leased", async () => {
      const { store } = await use(open);
      await running(store, "t1");
      await granted(store.leases, "t1", [exclusive("site/s1")], GONE);
      await store.tasks.move("t1", ["running"], "needs-attention");
      expect(await blockers(store.leases, "t2", [exclusive("site/s1")])).toEqual(["t1 site/s1"]);
    });

    it("gives the leases of a task that needs attention to one who resolves it, before all who wait for them", async () => {
      const { store } = await use(open);
      await running(store, "t1");
      const [first] = await granted(store.leases, "t1", [exclusive("site/s1")], OTHER);
      await blockers(store.leases, "t2", [exclusive("site/s1")]);
      await store.tasks.move("t1", ["running"], "needs-attention");
      // Somebody is at it still.
      expect(await blockers(store.leases, "t1", [exclusive("task/t1")])).toEqual(["t1 site/s1"]);
      await store.leases.handOver("t1", OTHER);
      await granted(store.leases, "t1", [exclusive("task/t1")]);
      expect(await blockers(store.leases, "t1", [exclusive("task/t1")], OTHER)).toEqual(["t1 site/s1", "t1 task/t1"]);
      const [lease] = await store.leases.list();
      expect(lease).toMatchObject({ scope: "site/s1", task: "t1", holder: ME });
      expect(lease?.token).toBeGreaterThan(first?.token ?? Infinity);
    });
  });
}
