import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { serverRecord } from "../../test/fake-engine.ts";
import { declared, FakeInventory, php, service } from "../../test/fake-inventory.ts";
import type { SiteView } from "../contracts/views.ts";
import { LoadedInventory } from "../engine/planning/loaded-inventory.ts";
import type { Planning } from "../contracts/planning.ts";
import { chooseService } from "./choose-service.ts";
import { deleteSite } from "./delete-site.ts";
import { verify } from "./verify.ts";

let inventory: FakeInventory;

beforeEach(async () => {
  inventory = await FakeInventory.open();
  onTestFinished(async () => inventory[Symbol.asyncDispose]());
  expect((await inventory.plan(inventory.plugins, verify("web1"))).actions).toEqual([]);
});

const problem = (code: string, word: string): unknown =>
  expect.objectContaining({ code, server: "web1", tolerable: true, message: expect.stringContaining(word) as unknown });

describe("the verify of a server on which a plugin is absent", () => {
  test.each([
    [["shop"], "Platform shop"],
    [["sql"], "db service db"],
    [["fpm"], "php service php"],
    [["web"], "http service http"],
  ])("changes nothing of what %s has there, and says so once", async (names, word) => {
    const { actions, register, value } = await inventory.plan(inventory.without(...names), verify("web1"));
    expect(actions).toEqual([]);
    expect(register).toEqual([]);
    expect(value.problems).toEqual([problem("HW_PLUGIN_MISSING", word)]);
  });

  test("sets its neighbours right all the same", async () => {
    for (const id of ["s1", "s2"])
      inventory.world.states("web1").set(`directory /srv/sites/${id}/conf`, { value: "by somebody else" });
    const { actions } = await inventory.plan(inventory.without("shop"), verify("web1"));
    expect(actions.flatMap((action) => (action.kind !== "ensure" ? [] : action.changes.map(({ key }) => key)))).toEqual(
      ["/srv/sites/s1/conf"],
    );
  });

  test("leaves a site whose options a newer version wrote", async () => {
    await inventory.site("s2", "p-shop", { optionsVersion: 2 });
    inventory.world.states("web1").delete("directory /srv/sites/s2/conf");
    inventory.world.states("web1").delete("directory /srv/sites/s3/conf");
    const { actions, value } = await inventory.plan(inventory.plugins, verify("web1"));
    expect(actions.flatMap((action) => (action.kind !== "ensure" ? [] : action.changes.map(({ key }) => key)))).toEqual(
      ["/srv/sites/s3/conf"],
    );
    expect(value.problems).toEqual([problem("HW_OPTIONS_INCOMPATIBLE", "s2.example.com")]);
  });

  test("removes nothing of a type that the present version does not bring any more", async () => {
    const { site: _site, ...role } = php;
    const later = service("fpm", "php", { ...role, site: ({ id }: SiteView) => [declared("unit", `${id}.service`)] });
    // Of the server, of a platform and of a site that was deleted.
    for (const owner of ["server/web1", "platform/p-blog", "site/s9"]) {
      const row = { server: "web1", type: "php-thing", key: owner, owner, shared: false, hash: "h" };
      await inventory.engine.store.register.put([row]);
    }
    const { actions } = await inventory.plan([...inventory.without("fpm"), later], verify("web1"));
    expect(actions).toEqual([]);
  });
});

describe("what needs the absent plugin is refused, and nothing is changed", () => {
  test.each([
    ["the verify of its site", verify("s2.example.com"), ["shop"]],
    ["the verify of its platform", verify("shop"), ["shop"]],
    ["the verify of a site with its database", verify("s1.example.com"), ["sql"]],
    ["the deletion of its site", deleteSite("s2.example.com"), ["shop"]],
  ])("%s", async (_what, request, names) => {
    await expect(inventory.plan(inventory.without(...names), request)).rejects.toMatchObject({
      code: "HW_PLUGIN_MISSING",
    });
    expect(inventory.world.effects).toEqual([]);
  });

  test("the deletion of a site that has something of a type which no plugin knows", async () => {
    const { site: _site, ...role } = php;
    const later = service("fpm", "php", { ...role, site: () => [] });
    await expect(
      inventory.plan([...inventory.without("fpm"), later], deleteSite("s1.example.com")),
    ).rejects.toMatchObject({
      code: "HW_PLUGIN_MISSING",
      message: expect.stringContaining("php-thing /php/s1 on web1") as unknown,
    });
  });

  test("not the choice of a database beside one of an absent plugin", async () => {
    const services = [{ name: "db", kind: "db", type: "gone", options: {}, optionsVersion: 1 }];
    await inventory.put("server", "db2", "db2", { ...serverRecord("db2"), services });
    const { registry, store } = inventory.parts(inventory.plugins);
    const records = await LoadedInventory.load(store.records, registry);
    const context = { inventory: records } as unknown as Planning;
    const [platform, heads] = [records.platform("blog"), records.members(records.server("web1"))];
    const choose = (wanted?: string): unknown =>
      chooseService(context, { kind: "db", wanted, need: { protocols: ["sql"] }, platform, heads });
    expect(choose()).toEqual({ server: "web1", service: "db" });
    expect(() => choose("db2")).toThrow(expect.objectContaining({ code: "HW_PLUGIN_MISSING", server: "db2" }));
  });

  test("not the verify of a site beside it", async () => {
    expect((await inventory.plan(inventory.without("shop"), verify("s1.example.com"))).actions).toEqual([]);
  });
});
