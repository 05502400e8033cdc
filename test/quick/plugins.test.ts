import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, type Plugin } from "@hostwright/core";
import { drupal } from "@hostwright/platform-drupal";
import { mediawiki } from "@hostwright/platform-mediawiki";
import { wordpress } from "@hostwright/platform-wordpress";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { postgres } from "@hostwright/service-postgres";
import { expect, onTestFinished, test } from "vitest";
import { examplePostgres } from "../../examples/plugins/database.ts";
import { exampleHttp } from "../../examples/plugins/http.ts";
import { examplePhp } from "../../examples/plugins/php.ts";
import { guestbook } from "../../examples/plugins/platform.ts";

async function folder(): Promise<string> {
  const stateDir = await mkdtemp(join(tmpdir(), "hostwright-plugins-"));
  onTestFinished(async () => rm(stateDir, { recursive: true, force: true }));
  return stateDir;
}

test.each<readonly [string, readonly Plugin[]]>([
  ["all packages, side by side", [nginx, apache, phpFpm, mysql, postgres, wordpress, drupal, mediawiki]],
  ["the examples", [exampleHttp, examplePhp, examplePostgres, guestbook]],
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
