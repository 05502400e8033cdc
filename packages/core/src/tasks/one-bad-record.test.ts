import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { db, FakeInventory, http, php, platform, service } from "../../test/fake-inventory.ts";
import type { Plugin } from "../contracts/plugin.ts";
import type { PlanData } from "../engine/planning/plan.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { verify } from "./verify.ts";

let inventory: FakeInventory;

beforeEach(async () => {
  inventory = await FakeInventory.open();
  onTestFinished(async () => inventory[Symbol.asyncDispose]());
});

const conf = (id: string): string => `directory /srv/sites/${id}/conf`;

/** Every site's folder was changed by somebody: what is verified sets its own right. */
async function verified(
  plugins: readonly Plugin[] = inventory.plugins,
): Promise<{ fixed: string[]; problems: string[]; plan: PlanData }> {
  for (const id of ["s1", "s2", "s3"]) inventory.world.states("web1").set(conf(id), { value: "by somebody else" });
  const plan = await inventory.plan(plugins, verify("web1"));
  const changes = plan.actions.flatMap((action) => (action.kind !== "ensure" ? [] : action.changes));
  return {
    plan,
    fixed: changes.map(({ type, key, after }) => `${after === null ? "- " : ""}${type} ${key}`),
    problems: (plan.value.problems as { code: string; message: string }[]).map(
      ({ code, message }) => `${code} ${message}`,
    ),
  };
}

const oops = (what: string) => (): never => {
  throw new TypeError(what);
};
/** The plugin of the fixture with other parts. */
const instead = (name: string, ...made: Plugin[]): readonly Plugin[] => [...inventory.without(name), ...made];
const ofSite =
  (id: string, work: (view: never) => unknown) =>
  (view: never): unknown => {
    if ((view as { id?: string; siteId?: string }).id === id || (view as { siteId?: string }).siteId === id)
      throw new HostwrightError("HW_QUOTE_REFUSED", `a value of ${id} cannot be quoted`);
    return work(view);
  };

describe("a verify of a server names what is bad, leaves it as it stands, and sets its neighbours right:", () => {
  test("a platform whose source is not its codebase", async () => {
    const bad = {
      id: "p-bad",
      name: "bad",
      server: "web1",
      root: "/srv/bad",
      type: "blog",
      options: {},
      optionsVersion: 1,
    };
    await inventory.put("platform", "p-bad", "bad", {
      ...bad,
      source: { path: "/etc" },
      release: null,
      managedBy: null,
    });
    const { fixed, problems } = await verified(instead("blog", platform("blog", { detect: async () => null })));
    expect(fixed).toEqual([conf("s1"), conf("s2"), conf("s3")]);
    expect(problems).toEqual([
      expect.stringMatching(/^HW_PLATFORM_INVALID platform bad: .*\/etc is not a blog codebase/),
    ]);
  });

  test("a site on a service that its server has no longer", async () => {
    await inventory.site("s2", "p-shop", { http: "gone" });
    const { fixed, problems } = await verified();
    expect(fixed).toEqual([conf("s1"), conf("s3")]);
    expect(problems).toEqual([expect.stringMatching(/^HW_SERVICE_MISSING site s2\.example\.com: .*"gone"/)]);
  });

  test("a site whose platform is missing: nobody else's database is in its way", async () => {
    await inventory.site("s2", "p-nowhere");
    const { fixed, problems } = await verified();
    expect(fixed).toEqual([conf("s1"), conf("s3")]);
    expect(problems).toEqual([expect.stringContaining("s2.example.com")]);
  });

  test.each([
    [
      "its web server's plugin",
      "web",
      (): Plugin => service("web", "http", { ...http, site: ofSite("s2", http.site as never) }),
    ],
    [
      "its PHP's plugin",
      "fpm",
      (): Plugin =>
        service("fpm", "php", { ...php, site: ofSite("s2", php.site as never) }, [inventory.resource("php-thing")]),
    ],
    [
      "its database's plugin",
      "sql",
      (): Plugin =>
        service("sql", "db", { ...db, site: ofSite("s2", db.site as never) }, [inventory.resource("database")]),
    ],
  ])("a site that %s cannot render", async (_what, name, made) => {
    const { fixed, problems } = await verified(instead(name, made()));
    expect(fixed).toEqual([conf("s1"), conf("s3")]);
    expect(problems).toEqual(["HW_QUOTE_REFUSED site s2.example.com: a value of s2 cannot be quoted"]);
  });

  test("a site that meets a thing of nobody's, and keeps all that it has", async () => {
    await inventory.engine.store.register.remove([
      { server: "web1", type: "unit", key: "s2.service", owner: "site/s2" },
    ]);
    const { fixed, problems, plan } = await verified();
    expect(fixed).toEqual([conf("s1"), conf("s3")]);
    expect(problems).toEqual([expect.stringMatching(/^HW_RESOURCE_FOREIGN site s2\.example\.com: unit s2\.service/)]);
    expect(plan.register).toEqual([]);
  });

  test("a platform of which another owner has the release", async () => {
    const row = { server: "web1", type: "tree", key: "/srv/shop", shared: false };
    await inventory.engine.store.register.remove([{ ...row, owner: "platform/p-shop" }]);
    await inventory.engine.store.register.put([{ ...row, owner: "platform/p-other", hash: "h" }]);
    const { fixed, problems } = await verified();
    expect(fixed).toEqual([conf("s1"), conf("s2"), conf("s3")]);
    expect(problems).toEqual([expect.stringMatching(/^HW_RESOURCE_CONFLICT platform shop: tree \/srv\/shop/)]);
  });

  test("sites of a kind of thing that cannot be read, in one problem with all their names", async () => {
    const type = { ...inventory.resource("database"), read: oops("the database does not answer") };
    const { fixed, problems } = await verified(instead("sql", service("sql", "db", db, [type])));
    expect(fixed).toEqual([]);
    expect(problems).toEqual([
      "HW_INTERNAL site s1.example.com, site s2.example.com, site s3.example.com: the database does not answer Nothing was changed.",
    ]);
  });

  test("a service whose settings cannot be rendered: nothing of the server is taken for unwanted", async () => {
    const { fixed, problems } = await verified(
      instead("fpm", service("fpm", "php", { ...php, server: oops("no") }, [inventory.resource("php-thing")])),
    );
    expect(fixed).toEqual([conf("s1"), conf("s2"), conf("s3")]);
    expect(problems).toEqual([expect.stringMatching(/^HW_INTERNAL php service php: no/)]);
  });

  test.each([
    ["cannot be judged", { facts: () => ({ version: { argv: ["true"], parse: oops("odd") } }) }],
    ["nobody can ask for", { facts: oops("odd") }],
    ["lack its packages", { packages: oops("odd") }],
  ])("a service whose facts %s, with the sites that need it", async (_how, change) => {
    const made = service("fpm", "php", php, [inventory.resource("php-thing")]);
    const [definition] = made.services ?? [];
    const failing = { ...made, services: [{ ...definition, ...change } as never] };
    const { fixed, problems } = await verified(instead("fpm", failing));
    expect(fixed).toEqual([]);
    expect(problems.join("\n")).toContain("The facts of php service php (fpm) of web1 could not be judged: odd");
    expect(problems.join("\n")).toContain("site s1.example.com, site s2.example.com, site s3.example.com");
  });

  test("a site whose secret cannot be read", async () => {
    const settings = ({
      id,
      secret,
      domain,
    }: {
      id: string;
      domain: string;
      secret: (name: string, label: string) => unknown;
    }): unknown => [{ path: "settings", content: id === "s2" ? { parts: [secret("lost", "lost secret")] } : domain }];
    await inventory.engine.store.secrets.replace("site/s2/lost", "sealed with the key of another installation");
    const { fixed, problems } = await verified(instead("shop", platform("shop", { settings: settings as never })));
    expect(fixed).toEqual([conf("s1"), conf("s3")]);
    expect(problems).toEqual([expect.stringMatching(/^HW_SECRET_UNREADABLE site s2\.example\.com: /)]);
  });
});
