import * as z from "zod";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FakeInventory } from "../../../test/fake-inventory.ts";
import { NEVER } from "../../../test/fake-worker.ts";
import type { Planning, RegisteredQuery } from "../../contracts/planning.ts";
import type { PlainRequest, TaskDraft } from "../../contracts/task.ts";
import type { SiteRecord } from "../../model/records.ts";
import { defineTask } from "../../plugin-kit/define-task.ts";
import { newSite } from "../../tasks/site-change.ts";
import { verify, verifyAlias } from "../../tasks/verify.ts";
import type { PlanData } from "./plan.ts";
import { planRequest } from "./task-engine.ts";

let inventory: FakeInventory;
beforeEach(async () => {
  inventory = await FakeInventory.open();
  onTestFinished(async () => inventory[Symbol.asyncDispose]());
});

const NOTHING: TaskDraft<object> = { title: "own", about: [], steps: [], value: {} };

/** Plans a task of a package's own. */
async function planned(
  plan: (context: Planning) => Promise<Partial<TaskDraft<object>> | void>,
  standsFor?: readonly PlainRequest[],
): Promise<PlanData> {
  const task = defineTask({
    type: "own:task",
    version: 1,
    input: z.strictObject({}),
    value: z.object({}),
    request: () => ({}),
    title: () => "own",
    subject: () => ({}),
    ...(standsFor === undefined ? {} : { standsFor: () => standsFor }),
    plan: async (context) => ({ ...NOTHING, ...(await plan(context)) }),
  });
  const tasks = new Map([task, verifyAlias].map((type) => [type.type, type] as const));
  return planRequest({ ...inventory.parts(inventory.plugins), tasks }, task.request(), "t1", NEVER);
}

const wanted = {
  domain: "new.example.com",
  aliases: [],
  aliasMode: "redirect",
  enabled: true,
  platform: "p-blog",
  bindings: { http: { service: "http" } },
  title: "new",
  adminEmail: "admin@new.example.com",
  adminUser: "admin",
  options: {},
  optionsVersion: 1,
  limits: {} as SiteRecord["limits"],
} as const;

const drafts = async (): Promise<readonly unknown[]> =>
  (await inventory.engine.store.records.list("site")).filter(({ name }) => name === "t1");

describe("a site that is drawn", () => {
  test("is the same at every planning of its task, and reserved by it", async () => {
    const drawn: SiteRecord[] = [];
    const plan = async (context: Planning): Promise<Partial<TaskDraft<object>>> => {
      const [known, site] = [await context.drawnSite(), await context.drawSite(wanted)];
      drawn.push(site, ...(known === null ? [] : [known]), await context.drawSite(wanted));
      return newSite(context, site, [{ kind: "platform", id: "p-blog" }]);
    };
    const { reserve, commit, release } = await planned(plan);
    await planned(plan);
    const [{ id, uid } = { id: "", uid: 0 }] = drawn;
    expect(drawn.map((site) => [site.id, site.uid, site.status])).toEqual(drawn.map(() => [id, uid, "draft"]));
    expect(drawn).toHaveLength(5);
    expect(reserve).toMatchObject([{ id, expect: 1, value: { status: "installing" }, claims: ["new.example.com"] }]);
    expect(commit.put).toMatchObject([{ id, expect: 2, value: { status: "installed", uid } }]);
    expect(release).toEqual([{ kind: "site", id }]);
  });

  test("is one a task: another one is refused, not answered with the first", async () => {
    const planning = planned(async (context) => {
      await context.drawSite(wanted);
      await context.drawSite({ ...wanted, domain: "second.example.com" });
    });
    await expect(planning).rejects.toThrow("a second site");
    expect(await drafts()).toEqual([]);
  });

  test("is refused, and gone, where its plan does not reserve it", async () => {
    const planning = planned(async (context) => void (await context.drawSite(wanted)));
    await expect(planning).rejects.toMatchObject({
      code: "HW_INTERNAL",
      message: expect.stringContaining("reserve") as string,
    });
    expect(await drafts()).toEqual([]);
  });
});

test("a task has the plan of another request made only where it stands for it", async () => {
  const asked = verify("s1.example.com");
  const preview = async (context: Planning): Promise<void> => {
    expect(await context.preview(asked)).toMatchObject({ title: "verify site s1.example.com", empty: true });
  };
  await planned(preview, [asked]);
  await expect(planned(preview, [verify("web1")])).rejects.toMatchObject({ code: "HW_INTERNAL" });
  await expect(planned(preview)).rejects.toMatchObject({ code: "HW_INTERNAL" });
});

test("a task learns whether there is a secret, and not which", async () => {
  const id = "site/s1/salt";
  await inventory.parts([]).vault.put(id, "hush");
  await planned(async ({ inventory: records, hasSecret, target }) => {
    expect([await hasSecret(id), await hasSecret("site/s1/none")]).toEqual([true, false]);
    const { resolve } = await target(records.server("web1"));
    expect(() => resolve({ ref: "secret", id, label: "salt" })).toThrow(
      expect.objectContaining({ code: "HW_INTERNAL" }),
    );
  });
});

test("what is registered is asked for by owner or address, and tells what no loaded plugin knows", async () => {
  const rows = [
    ["gone-thing", "x", "site/s8"],
    ["file", "/left", "site/s8"],
    ["file", "/left", "site/s1"],
    ["file", "/of-nobody", "server/v9"],
  ] as const;
  await inventory.engine.store.register.put(
    rows.map(([type, key, owner]) => ({ server: "web1", type, key, owner, shared: true, hash: null })),
  );
  await planned(async (context) => {
    const web = context.inventory.server("web1");
    const found = async (query: RegisteredQuery): Promise<readonly string[]> =>
      (await context.registered(web, query)).map(
        ({ key, owner, known }) => `${owner} ${key}${known ? "" : " unknown"}`,
      );
    const left = ["site/s8 /left", "site/s8 x unknown"];
    expect(await found({})).toEqual([]);
    // Not who shares it.
    expect((await found({ owners: ["site/s8"] })).toSorted()).toEqual(left);
    // Of sites and platforms alone.
    expect((await found({ orphans: true })).toSorted()).toEqual(left);
    const resources = [{ type: "file", key: "/left" }];
    expect((await found({ resources })).toSorted()).toEqual(["site/s1 /left", "site/s8 /left"]);
    expect(context.keyOf({ type: "file", spec: { path: "/a" } })).toBe("/a");
  });
});
