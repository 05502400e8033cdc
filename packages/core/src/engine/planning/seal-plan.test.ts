import { expect, onTestFinished, test } from "vitest";
import { FakeWorker, file, NEVER, request } from "../../../test/fake-worker.ts";
import { openPlan, planHash, sealPlan } from "./seal-plan.ts";
import { planRequest } from "./task-engine.ts";

test("a plan of many like things is stored in a third of its text at most, and opens as it was made", async () => {
  const fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  fake.drafts.set("a", { steps: Array.from({ length: 500 }, (_, index) => file(`/srv/sites/${index}`, "listen 80;")) });
  const plan = await planRequest(fake.parts, request("a"), "t1", NEVER);
  const sealed = await sealPlan(fake.parts.box, plan);
  expect(sealed.length).toBeLessThan(JSON.stringify(plan).length / 3);
  expect(await openPlan(fake.parts.box, { id: "t1", plan: sealed })).toEqual(plan);
});

test("the hash of a plan is of all that is approved with it, and of nothing else", async () => {
  const fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
  const plan = await planRequest(fake.parts, request("a"), "t1", NEVER);
  expect(await planHash(plan)).toBe(plan.hash);
  expect(await planHash({ ...plan, id: "p2", task: "t2", expiresAt: "2027" })).toBe(plan.hash);
  const row = { server: "web1", type: "file", key: "/a", owner: "site/s1", shared: false, hash: "h" };
  const others = [
    { actions: [] },
    { register: [{ ...row, gone: true }] },
    { records: [{ kind: "site", id: "s1", version: 2 }] },
    { sets: [{ set: "sites on platform", of: "p1", found: ["s1"] }] },
    { commit: { put: [], deleteRecords: [{ kind: "site", id: "s1" }] } },
    { reserve: [{ kind: "site", id: "s1", name: "a", value: {}, expect: 0, claims: [] }] },
    { children: { list: [{ title: "work b", request: request("b") }], concurrency: 4, stopAfter: null } },
    { request: request("b") },
  ] as const;
  for (const other of others) expect(await planHash({ ...plan, ...other }), JSON.stringify(other)).not.toBe(plan.hash);
});
