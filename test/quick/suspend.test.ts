import { verify } from "@hostwright/core";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { suspends, suspendSite } from "../../examples/plugins/suspend.ts";
import type { Plugin } from "../../packages/core/src/contracts/plugin.ts";
import type { SiteView } from "../../packages/core/src/contracts/views.ts";
import type { PlanData } from "../../packages/core/src/engine/planning/plan.ts";
import { planRequest } from "../../packages/core/src/engine/planning/task-engine.ts";
import { FakeInventory, http, service } from "../../packages/core/test/fake-inventory.ts";

const NEVER = new AbortController().signal;
const DOMAIN = "s1.example.com";
const NOTICE = "https://host.example/suspended/";

let inventory: FakeInventory;
let plugins: readonly Plugin[];
beforeEach(async () => {
  inventory = await FakeInventory.open();
  onTestFinished(async () => inventory[Symbol.asyncDispose]());
  const site = ({ id, enabled, ownRules }: SiteView): object[] => [
    { name: `${id}.conf`, content: JSON.stringify({ enabled, ...ownRules }) },
  ];
  plugins = [...inventory.without("web"), service("web", "http", { ...http, site })];
  await carryOut(await inventory.plan(plugins, verify("web1")));
});

async function plan(notice?: string): Promise<PlanData> {
  const parts = inventory.parts(plugins);
  const tasks = new Map([...parts.tasks, ...(suspends.tasks ?? []).map((task) => [task.type, task] as const)]);
  return planRequest({ ...parts, tasks }, suspendSite(DOMAIN, notice), "t1", NEVER);
}

/** As a worker would, but for what it does on servers. */
async function carryOut(made: PlanData): Promise<void> {
  await inventory.carryOut(made);
  for (const { id, name, value } of made.commit.put) await inventory.put("site", id, name, value);
}

const titles = ({ actions }: PlanData): readonly string[] => actions.map(({ title }) => title);

test.each([
  ["without a notice", undefined, { enabled: false }, 503],
  ["with one", NOTICE, { enabled: true, webRules: { redirects: [{ to: NOTICE, status: 302 }] } }, 302],
])("a package's own task takes a site down by what core's own are made of, %s", async (_how, notice, value, status) => {
  const made = await plan(notice);
  expect(titles(made)).toEqual([`pages of ${DOMAIN}`, `publish ${DOMAIN}`, `look at the page of ${DOMAIN}`]);
  expect(made.actions.at(-1)).toMatchObject({ operation: "probe-page", input: { domain: DOMAIN, status } });
  expect(made.commit.put).toMatchObject([{ id: "s1", expect: 1, claims: [DOMAIN], value }]);
  expect(made.leases).toContainEqual({ scope: "site/s1", mode: "exclusive" });

  await carryOut(made);
  expect(titles(await plan(notice))).toEqual([]);
  expect(titles(await inventory.plan(plugins, verify(DOMAIN)))).toEqual([]);
});

test("what no web server could be told is refused", async () => {
  await expect(plan("host.example")).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
});
