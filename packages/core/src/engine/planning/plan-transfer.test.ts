import { beforeEach, expect, onTestFinished, test } from "vitest";
import { FakeEngine, runStep, transferStep } from "../../../test/fake-engine.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import { checkOutputs } from "./check-outputs.ts";
import { derivedLeases } from "./derived-leases.ts";
import { missingNeeds, showNeed } from "./needs.ts";
import { renderPlan } from "./render-plan.ts";
import { openPlan, sealPlan } from "./seal-plan.ts";

let engine: FakeEngine;

beforeEach(async () => {
  engine = await FakeEngine.open(new FakeWorld(), []);
  onTestFinished(async () => engine[Symbol.asyncDispose]());
});

const login = { parts: ["password=", { ref: "secret", id: "s/password", label: "db password" } as const] };

test("a transfer is an action of the server that receives, read with both of its ends and never their secrets", async () => {
  engine.secrets.set("s/password", "hush");
  const step = transferStep("web1", "db1", { bytes: 12_300_000 });
  const plan = await engine.plan({ ...step, to: { ...step.to, login, resume: ["/bin/stat", "a file"] } });
  expect(plan.actions).toMatchObject([
    {
      kind: "transfer",
      server: "db1",
      from: { server: "web1", serverName: "web1" },
      bytes: 12_300_000,
      idleMs: 300_000,
      timeoutMs: 86_400_000,
    },
  ]);
  const shown = renderPlan(plan);
  expect(shown).toContain("  1. [db1] carry to db1 (transfer)\n");
  expect(shown).toContain("     < web1: /bin/echo some, about 12.3 MB\n");
  expect(shown).toContain("     > db1: /bin/cat, goes on from what is there\n");
  expect(shown).toContain("1 actions on 2 servers: 0 to make, 0 to change, 0 to remove, 1 to run");
  const sealed = await sealPlan(engine.box, plan);
  expect(JSON.stringify(plan)).not.toContain("hush");
  expect(await openPlan(engine.box, { id: plan.task, plan: sealed })).toEqual(plan);
});

test("both of its servers are shared with other tasks", () => {
  const derived = derivedLeases({ about: ["site/s1"], steps: [transferStep("web1", "db1")] }, []);
  expect(derived).toEqual([
    { scope: "site/s1", mode: "exclusive" },
    { scope: "server/db1", mode: "shared" },
    { scope: "server/web1", mode: "shared" },
  ]);
});

test("a worker must know the step, in its version", async () => {
  const { needs } = await engine.plan(transferStep("web1", "db1"));
  expect(needs.map(showNeed)).toEqual(["step transfer@1 (@hostwright/core)"]);
  expect(missingNeeds(engine.registry, engine.operations, needs)).toEqual([]);
  const later = needs.map((need) => ({ ...need, version: 2 }));
  expect(missingNeeds(engine.registry, engine.operations, later)).toEqual(later);
});

test("a later step refers to its output, and no earlier one", () => {
  const use = runStep("web1", "use", { input: { ref: "output", step: "carry", name: "bytes" } });
  const carry = transferStep("web1", "db1", { id: "carry" });
  expect(() => checkOutputs({ title: "a", steps: [carry, use] })).not.toThrow();
  expect(() => checkOutputs({ title: "a", steps: [use, carry] })).toThrow("does not come before it");
});
