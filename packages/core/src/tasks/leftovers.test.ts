import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { ensureStep, runStep, serverRecord } from "../../test/fake-engine.ts";
import { FakeWorker, NEVER, file, request } from "../../test/fake-worker.ts";
import type { Task } from "../api/task.ts";
import type { StoredRecord } from "../contracts/store.ts";
import { recordOf } from "../engine/planning/assumed-records.ts";
import type { PlanData } from "../engine/planning/plan.ts";
import { planRequest, type EngineParts } from "../engine/planning/task-engine.ts";
import type { TaskDraft } from "../contracts/task.ts";
import type { Planning } from "../contracts/planning.ts";
import { makeStoredPlan } from "../engine/workers/stored-plans.ts";
import { newId } from "../model/ids.ts";
import { Registry } from "../engine/plugins/registry.ts";
import { verify, verifyAlias, type VerifyValue } from "./verify.ts";

let fake: FakeWorker;
beforeEach(async () => {
  fake = await FakeWorker.open();
  onTestFinished(async () => fake[Symbol.asyncDispose]());
});

const record = (id: string, status = "installed"): Omit<StoredRecord, "version"> => ({
  kind: "site",
  id,
  name: `${id}.example.com`,
  value: { id, domain: `${id}.example.com`, aliases: [], platform: "none", status },
});
const put = async (id: string, expect = 0, status?: string): Promise<unknown> =>
  fake.engine.store.records.put(record(id, status), { expect, claims: [] });
const holds = async (owner: string, key: string): Promise<void> => {
  fake.world.states("web1").set(`file ${key}`, { value: "x" });
  await fake.engine.store.register.put([{ server: "web1", type: "file", key, owner, shared: false, hash: "h" }]);
};
const removed = ({ actions }: PlanData): readonly string[] =>
  actions
    .flatMap((action) => (action.kind !== "ensure" ? [] : action.changes))
    .filter(({ after }) => after === null)
    .map(({ key }) => key);

/** Parts in which something else is done between a verify's look at the records and its first one at the register. */
function meanwhile(work: () => Promise<void>): EngineParts {
  const directory = {
    ...fake.world.type("directory"),
    key: ({ path }: { path: string }) => path,
    desired: () => ({ value: "x" }),
    showSpec: () => "x",
  };
  const registry = new Registry([], [fake.world.type("file"), directory as never]);
  const plan = async (context: Planning, asked: { readonly alias: string }): Promise<TaskDraft<VerifyValue>> => {
    const registered: Planning["registered"] = async (server, query) => {
      if (query.orphans === true) await work();
      return context.registered(server, query);
    };
    return verifyAlias.plan({ ...context, registered }, asked);
  };
  return { ...fake.parts, tasks: new Map([[verifyAlias.type, { ...verifyAlias, plan }]]), registry };
}

describe("the verify of a server", () => {
  test("takes no site that is made while it is planned for one that was deleted", async () => {
    const parts = meanwhile(async () => {
      await put("s1", 0, "installing");
      await holds("site/s1", "/of-the-new");
    });
    await holds("site/s9", "/of-the-deleted");
    const plan = await planRequest(parts, verify("web1"), newId("t", 16), NEVER);
    expect(removed(plan)).toEqual(["/of-the-deleted"]);
    expect(plan.leases).toContainEqual({ scope: "site/s9", mode: "exclusive" });
    expect(plan.leases).not.toContainEqual(expect.objectContaining({ scope: "site/s1" }));
  });
});

test("the verify of a server removes what a deleted platform left there too, as its release", async () => {
  const parts = meanwhile(async () => undefined);
  await holds("platform/r9", "/srv/platforms/gone");
  await holds("site/s9", "/of-the-deleted");
  const plan = await planRequest(parts, verify("web1"), newId("t", 16), NEVER);
  expect(removed(plan).toSorted()).toEqual(["/of-the-deleted", "/srv/platforms/gone"]);
  expect(plan.actions.map(({ title }) => title)).toContain(
    "remove what 1 deleted site and 1 deleted platform left on web1",
  );
  expect(plan.leases).toContainEqual({ scope: "platform/r9", mode: "exclusive" });
});

describe("an approved plan that removes what the gone site s1 left", () => {
  const clean = { phase: "clean-up", remove: [{ owners: ["site/s1"] }], records: [recordOf("site/s1", 0)] } as const;
  async function approved(...steps: Parameters<typeof fake.drafts.set>[1]["steps"] & object): Promise<Task> {
    await holds("site/s1", "/left");
    fake.drafts.set("a", {
      about: ["site/s1"],
      steps: [...steps, ensureStep("web1", [], clean)],
    });
    const plan = await makeStoredPlan(fake.parts, request("a"), NEVER);
    expect(removed(plan)).toEqual(["/left"]);
    return fake.submit("a", { id: plan.task, plan: { plan: plan.id, hash: plan.hash } });
  }

  test("removes it while there is no record of the site", async () => {
    const task = await approved();
    expect(await fake.worker.work(task.id, NEVER)).toMatchObject({ state: "succeeded", residue: [] });
    expect(fake.world.snapshot()).toEqual({ web1: {} });
  });

  test("is refused, and does nothing, once there is a record of it", async () => {
    const task = await approved(file("/other"));
    await put("s1");
    expect(await fake.worker.work(task.id, NEVER)).toMatchObject({
      state: "undone",
      error: {
        code: "HW_RESOURCE_CHANGED",
        message: expect.stringContaining("site/s1 (s1.example.com) came to be") as unknown,
      },
    });
    expect(fake.world.effects).toEqual([]);
  });

  test("leaves it, and says so, when the record came while it was carried out", async () => {
    fake.engine.operation("meanwhile", { run: async () => void (await put("s1")) });
    const task = await approved(runStep("web1", "meanwhile"));
    expect(await fake.worker.work(task.id, NEVER)).toMatchObject({
      state: "succeeded",
      residue: [
        {
          server: "web1",
          type: "file",
          key: "/left",
          reason: expect.stringContaining("version 1, not at version 0") as unknown,
        },
      ],
    });
    expect(fake.world.snapshot()).toEqual({ web1: { "file /left": "x" } });
  });
});

describe("an approved plan of a site", () => {
  const steps = (keys: readonly string[]) => [
    ensureStep(
      "web1",
      keys.map((key) => ({ type: "file", spec: { key, value: "x" }, owner: "site/s1" })),
      { remove: [{ owners: ["site/s1"] }] },
    ),
  ];
  async function approved(keys: readonly string[]): Promise<Task> {
    fake.drafts.set("a", { steps: steps(keys) });
    const plan = await makeStoredPlan(fake.parts, request("a"), NEVER);
    return fake.submit("a", { id: plan.task, plan: { plan: plan.id, hash: plan.hash } });
  }

  test.each([
    ["removes what it declared no longer", ["/a"], ["/a", "/b"]],
    ["sets right what it declared", ["/a", "/c"], ["/a"]],
    ["forgets what it had", ["/a"], ["/a", "/gone"]],
  ])("that %s is refused once the site's record is another", async (_what, wanted, standing) => {
    await put("s1");
    for (const key of standing) await holds("site/s1", key);
    fake.world.states("web1").delete("file /gone");
    const task = await approved(wanted);
    await put("s1", 1);
    expect(await fake.worker.work(task.id, NEVER)).toMatchObject({
      state: "undone",
      error: { code: "HW_RESOURCE_CHANGED", data: { owner: "site/s1", version: 1, now: 2 } },
    });
    expect(fake.world.effects).toEqual([]);
    expect(await fake.engine.registered("web1")).toHaveLength(standing.length);
  });

  test("runs while only another site's record, or its server's, is another", async () => {
    await put("s1");
    const task = await approved(["/a"]);
    await put("s2");
    const server = { kind: "server", id: "web1", name: "web1", value: serverRecord("web1") } as const;
    await fake.engine.store.records.put(server, { expect: 1, claims: [] });
    expect(await fake.worker.work(task.id, NEVER)).toMatchObject({ state: "succeeded" });
  });
});
