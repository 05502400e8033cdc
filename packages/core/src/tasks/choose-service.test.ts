import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { serverRecord } from "../../test/fake-engine.ts";
import { FakeInventory } from "../../test/fake-inventory.ts";
import type { Need } from "../contracts/platform.ts";
import { LoadedInventory } from "../engine/planning/loaded-inventory.ts";
import type { Planning } from "../contracts/planning.ts";
import { chooseService } from "./choose-service.ts";
import type { ServerRecord, ServiceRecord, SiteRecord } from "../model/records.ts";
import { install } from "./install-site.ts";

let inventory: FakeInventory;
beforeEach(async () => {
  inventory = await FakeInventory.open();
  onTestFinished(async () => inventory[Symbol.asyncDispose]());
});

const sql = { name: "db", kind: "db", type: "sql", options: {}, optionsVersion: 1 } as const;

async function putServer(name: string, service: ServiceRecord): Promise<void> {
  await inventory.put("server", name, name, { ...serverRecord(name), addresses: ["192.0.2.9"], services: [service] });
}

/** The web server has no database of its own: where an install that names none puts it. */
async function chosen(): Promise<unknown> {
  const record = await inventory.engine.store.records.get("server", "web1");
  const server = record?.value as ServerRecord | undefined;
  const without = server?.services.filter(({ kind }) => kind !== "db") ?? [];
  const web = { ...serverRecord("web1"), addresses: ["192.0.2.1"], services: without };
  await inventory.put("server", "web1", "web1", web);
  const plan = await inventory.plan(inventory.plugins, install("new.example.com", { platform: "blog" }));
  return (plan.reserve[0]?.value as SiteRecord | undefined)?.bindings["db"];
}

describe("of two servers with a database, an install that names none", () => {
  test.each<[string, ServiceRecord]>([
    ["is of a type whose plugin is not loaded", { ...sql, type: "lost" }],
    ["has options of a later version", { ...sql, optionsVersion: 2 }],
    ["has no database, but something else of that name", { ...sql, kind: "php", type: "fpm" }],
  ])("chooses the other one when one %s", async (_how, broken) => {
    await putServer("bad", broken);
    await putServer("good", sql);
    expect(await chosen()).toEqual({ server: "good", service: "db" });
  });

  test("is refused with both names when both may be meant, and chooses again once the mistaken one is gone", async () => {
    await putServer("mistaken", sql);
    await putServer("good", sql);
    await expect(chosen()).rejects.toMatchObject({
      code: "HW_SERVICE_MISSING",
      message: expect.stringContaining("Several services offer a database for blog") as string,
      remedy: expect.stringContaining("good:db, mistaken:db") as string,
    });
    await inventory.engine.store.records.forget("server", "mistaken", 1);
    expect(await chosen()).toEqual({ server: "good", service: "db" });
  });
});

describe("a platform", () => {
  const choose = async (need: Need | undefined, wanted?: string, kind = "db"): Promise<unknown> => {
    const { registry, store } = inventory.parts(inventory.plugins);
    const records = await LoadedInventory.load(store.records, registry);
    const context = { inventory: records } as unknown as Planning;
    const [platform, heads] = [records.platform("blog"), records.members(records.server("web1"))];
    return chooseService(context, { kind, wanted, need, platform, heads });
  };
  const place = { server: "web1", service: "db" };

  test("that names no protocol takes any", async () => {
    expect([await choose({}), await choose({}, "web1")]).toEqual([place, place]);
  });

  test("to which a database is optional has one where it is asked for", async () => {
    expect([await choose({ optional: true }), await choose({ optional: true }, "web1")]).toEqual([null, place]);
  });

  test("that needs none has none, and refuses the one that is asked for", async () => {
    expect(await choose(undefined)).toBeNull();
    await expect(choose(undefined, "web1")).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  });

  test("has the runtime of its own web server, and no other one", async () => {
    await putServer("other", { ...sql, name: "php", kind: "php", type: "fpm" });
    expect(await choose({}, undefined, "php")).toEqual({ service: "php" });
    expect(await choose({}, "web1:php", "php")).toEqual({ service: "php" });
    await expect(choose({}, "other", "php")).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  });

  test("is told which of its services lacks the protocol, and what would do", async () => {
    const wrong = { code: "HW_SERVICE_UNFIT", data: { kind: "db", protocols: ["pg"] } };
    await expect(choose({ protocols: ["pg"] })).rejects.toMatchObject(wrong);
    await expect(choose({ protocols: ["pg"] }, "web1")).rejects.toMatchObject(wrong);
  });
});
