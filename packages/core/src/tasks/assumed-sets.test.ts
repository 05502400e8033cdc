import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FakeInventory, http, service } from "../../test/fake-inventory.ts";
import { serverRecord } from "../../test/fake-engine.ts";
import type { Plugin } from "../contracts/plugin.ts";
import { makeStoredPlan } from "../engine/workers/stored-plans.ts";
import type { StoredOutcome } from "../engine/workers/stored-outcome.ts";
import { Worker } from "../engine/workers/worker.ts";
import { coreTasks } from "./core-tasks.ts";
import { deletePlatform } from "./delete-platform.ts";
import { install } from "./install-site.ts";
import { prepare } from "./prepare-server.ts";
import { switchHttp } from "./switch-http.ts";
import { verify } from "./verify.ts";

const NEVER = new AbortController().signal;
const SERVICES = [
  { name: "http", kind: "http", type: "web" },
  { name: "php", kind: "php", type: "fpm" },
  { name: "db", kind: "db", type: "sql" },
  { name: "other", kind: "http", type: "other-web" },
].map((record) => ({ ...record, options: {}, optionsVersion: 1 }));

let inventory: FakeInventory;
let loaded: readonly Plugin[];
beforeEach(async () => {
  inventory = await FakeInventory.open();
  for (const name of ["take-over", "site-command", "login-link", "probe-page", "install-packages"])
    inventory.engine.operation(name, {});
  onTestFinished(async () => inventory[Symbol.asyncDispose]());
  const publication = { ...http.publication, root: "/etc/other", unit: "other.service" };
  loaded = [...inventory.plugins, service("other-web", "http", { ...http, publication, server: () => [] })];
  await inventory.put("server", "web1", "web1", { ...serverRecord("web1"), services: SERVICES });
});

/** Plans, does what comes in between, and runs the approved plan. */
async function approved(
  request: { readonly type: string },
  meanwhile: () => Promise<void>,
): Promise<StoredOutcome | null> {
  const { store, events } = inventory.engine;
  const parts = { ...inventory.parts(loaded), tasks: new Map(coreTasks.map((type) => [type.type, type])) };
  const plan = await makeStoredPlan(parts, request, NEVER);
  expect(plan.actions.length + plan.commit.deleteRecords.length).toBeGreaterThan(0);
  await meanwhile();
  const common = { request: plan.request, actor: "system", key: null, timeoutMs: null, createdAt: "2026" };
  await store.tasks.submit({ id: plan.task, type: request.type, ...common, plan: { plan: plan.id, hash: plan.hash } });
  return new Worker(parts, events).work(plan.task, NEVER);
}

/** Every site is another web server's by now. */
async function otherServes(): Promise<void> {
  await inventory.site("s1", "p-blog", { http: "other" });
  for (const id of ["s2", "s3"]) await inventory.site(id, "p-shop", { http: "other" });
}

const refused = (...words: readonly string[]): object => ({
  state: "undone",
  error: { code: "HW_RESOURCE_CHANGED", message: expect.stringMatching(new RegExp(words.join(".*"))) as unknown },
});

describe("an approved plan is refused, before anything is begun,", () => {
  test("that switches a server, once another site is served from there, also on a platform that came since", async () => {
    const outcome = await approved(switchHttp("web1", "other"), async () => {
      const shop = (await inventory.engine.store.records.get("platform", "p-shop"))?.value as object;
      await inventory.put("platform", "p-new", "new", { ...shop, id: "p-new", name: "new" });
      await inventory.site("s9", "p-new");
    });
    expect(outcome).toMatchObject(refused("sites served by server web1", "s9.example.com came"));
    expect(inventory.world.effects).toEqual([]);
    expect((await inventory.engine.store.records.get("site", "s1"))?.value).toMatchObject({
      bindings: { http: { service: "http" } },
    });
  });

  test("that switches a server, once the service is on its record no more", async () => {
    const outcome = await approved(switchHttp("web1", "other"), async () =>
      inventory.put("server", "web1", "web1", { ...serverRecord("web1"), services: SERVICES.slice(0, 3) }),
    );
    expect(outcome).toMatchObject(refused("server/web1 .web1. was changed"));
  });

  test("that deletes a platform, once a site is on it", async () => {
    const { records } = inventory.engine.store;
    const blog = (await records.get("platform", "p-blog"))?.value as object;
    await inventory.put("platform", "p-empty", "empty", { ...blog, id: "p-empty", name: "empty" });
    const outcome = await approved(deletePlatform("empty"), async () => inventory.site("s9", "p-empty"));
    expect(outcome).toMatchObject(refused("sites on platform p-empty", "s9.example.com came"));
    expect(await records.get("platform", "p-empty")).not.toBeNull();
  });

  test.each([
    ["verifies", verify("web1")],
    ["prepares", prepare("web1")],
  ])("that %s a server, once its record is another", async (_what, request) => {
    inventory.world.states("web1").delete("directory /etc/web");
    const outcome = await approved(request, async () =>
      inventory.put("server", "web1", "web1", { ...serverRecord("web1"), services: SERVICES.slice(0, 3) }),
    );
    expect(outcome).toMatchObject(refused("server/web1 .web1. was changed"));
    expect(inventory.world.effects).toEqual([]);
  });

  test("that installs a site, once its platform is gone", async () => {
    const { records } = inventory.engine.store;
    const blog = (await records.get("platform", "p-blog"))?.value as object;
    await inventory.put("platform", "p-empty", "empty", { ...blog, id: "p-empty", name: "empty", root: "/srv/empty" });
    const outcome = await approved(install("new.example.com", { platform: "empty" }), async () => {
      await records.forget("platform", "p-empty", 1);
    });
    expect(outcome).toMatchObject({ state: "undone", error: { code: "HW_NOT_FOUND" } });
    expect(outcome?.error?.message).toMatch(/refers to/);
    expect(inventory.world.effects).toEqual([]);
  });

  test("that installs packages alone on a server, once another web server serves there", async () => {
    loaded = loaded.map((plugin) => ({
      ...plugin,
      services: plugin.services?.map((one) => ({ ...one, packages: () => ["web-server"] })) ?? [],
    }));
    const outcome = await approved(prepare("web1"), otherServes);
    expect(outcome).toMatchObject(refused("http services at work on server web1", "other came", "http went"));
    expect(inventory.world.effects).toEqual([]);
  });

  test("that installs a first site, once another web server serves there", async () => {
    const outcome = await approved(install("new.example.com", { platform: "blog" }), otherServes);
    expect(outcome).toMatchObject(refused("http services at work on server web1", "other came", "http went"));
    expect(inventory.world.effects).toEqual([]);
  });

  test.each([
    ["verifies", verify("web1")],
    ["prepares", prepare("web1")],
  ])("that %s a server, once another web server serves there", async (_what, request) => {
    inventory.world.states("web1").delete("directory /etc/web");
    const outcome = await approved(request, otherServes);
    expect(outcome).toMatchObject(refused("http services at work on server web1", "other came", "http went"));
    expect(inventory.world.effects).toEqual([]);
  });
});

test("an approved plan of a server's verify runs while another site came that has nothing to do with it", async () => {
  inventory.world.states("web1").delete("directory /etc/web");
  const outcome = await approved(verify("web1"), async () => inventory.site("s9", "p-blog"));
  expect(outcome?.error?.code).not.toBe("HW_RESOURCE_CHANGED");
});
