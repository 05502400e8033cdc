import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, local, type Plugin, type ServiceDeclaration } from "@hostwright/core";
import { drupal } from "@hostwright/platform-drupal";
import { mediawiki } from "@hostwright/platform-mediawiki";
import { nodeApp } from "@hostwright/platform-node";
import { wordpress } from "@hostwright/platform-wordpress";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { node } from "@hostwright/service-node";
import { phpFpm } from "@hostwright/service-php-fpm";
import { postgres } from "@hostwright/service-postgres";
import { redis } from "@hostwright/service-redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { examplePostgres } from "../../examples/plugins/database.ts";
import { exampleHttp } from "../../examples/plugins/http.ts";
import { examplePhp } from "../../examples/plugins/php.ts";
import { guestbook } from "../../examples/plugins/platform.ts";
import { exampleSessions } from "../../examples/plugins/sessions.ts";

async function folder(): Promise<string> {
  const stateDir = await mkdtemp(join(tmpdir(), "hostwright-plugins-"));
  onTestFinished(async () => rm(stateDir, { recursive: true, force: true }));
  return stateDir;
}

test.each<readonly [string, readonly Plugin[]]>([
  ["all packages, side by side", [nginx, apache, phpFpm, node, mysql, postgres, wordpress, drupal, mediawiki, nodeApp]],
  ["the examples without what their sites may have", [exampleHttp, examplePhp, examplePostgres, guestbook]],
  ["the examples", [exampleHttp, examplePhp, examplePostgres, exampleSessions, guestbook]],
])("%s load", async (_what, plugins) => {
  await using hw = await createHostwright({ stateDir: await folder(), plugins });
  expect(await hw.servers.list()).toEqual([]);
});

test("a platform without anything that runs its PHP is refused at start", async () => {
  await expect(createHostwright({ stateDir: await folder(), plugins: [nginx, mysql, drupal] })).rejects.toMatchObject({
    code: "HW_PLUGIN_INVALID",
    message: expect.stringContaining("@hostwright/platform-drupal needs a service of kind php"),
  });
});

test.each<readonly [string, Readonly<Record<string, unknown>>]>([
  ["pluginz", { pluginz: [] }],
  ["plugins", { plugins: nginx }],
  ["stateDir", { stateDir: "" }],
  ["uids", { uids: { from: 5, to: 9 } }],
  ["uids", { uids: { from: 3000, to: 2000 } }],
  ["uids.to", { uids: { from: 2000, to: 2999.5 } }],
  ["retention.taskDays", { retention: { taskDays: 0 } }],
  ["retention.eventDays", { retention: { eventDays: Number.NaN } }],
  ["retention.secretMinutes", { retention: { secretMinutes: Infinity } }],
  ["retention.plans", { retention: { plans: 10.5 } }],
])("a bad option %s is named, and nothing is opened", async (name, option) => {
  const stateDir = await folder();
  await expect(createHostwright({ stateDir, plugins: [], ...option })).rejects.toMatchObject({
    code: "HW_INPUT_INVALID",
    message: expect.stringContaining(name),
  });
  expect(await readdir(stateDir)).toEqual([]);
});

describe("of one server, two services", () => {
  const put = async (services: readonly ServiceDeclaration[]): Promise<unknown> => {
    await using hw = await createHostwright({
      stateDir: await folder(),
      plugins: [nginx, apache, phpFpm, mysql, postgres, redis],
    });
    return await hw.servers.put({ name: "web1", connect: local(), services });
  };

  test.each<readonly [what: string, place: string, services: readonly ServiceDeclaration[]]>([
    ["nginx", "port 80", [nginx.service(), nginx.service({ ipv6: false }, "other")]],
    ["Apache", "port 8080", [apache.service({ httpPort: 8080 }), apache.service({ httpPort: 8080 }, "other")]],
    ["MariaDB", "/run/mysqld/mysqld.sock", [mysql.service(), mysql.service({ port: 3307 }, "other")]],
    ["PostgreSQL", ":5432", [postgres.service(), postgres.service({ version: "16" }, "other")]],
    ["Redis", "/run/redis/redis-server.sock", [redis.service(), redis.service({ port: 6380 }, "other")]],
  ])("of %s that listen at %s are refused by name", async (_what, place, services) => {
    await expect(put(services)).rejects.toMatchObject({
      code: "HW_INPUT_INVALID",
      message: expect.stringMatching(new RegExp(`^server web1: .*"other".*${place}. Nothing was changed.$`)),
    });
  });

  test.each<readonly [what: string, services: readonly ServiceDeclaration[]]>([
    ["web servers of two types, of which one waits", [nginx.service(), apache.service({}, "apache")]],
    ["on ports of their own", [postgres.service(), postgres.service({ cluster: "second", port: 5433 }, "other")]],
    ["releases of PHP", [phpFpm.service({ version: "8.3" }), phpFpm.service({ version: "8.4" }, "other")]],
  ])("%s are taken", async (_what, services) => {
    expect(await put(services)).toMatchObject({ services: services.map(({ type }) => ({ type })) });
  });
});
