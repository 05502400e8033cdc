import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deletePlatform, disable, enable, verify } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FIRST, LivingServer } from "./support/living-server.ts";
import { page } from "./support/page.ts";

let living: LivingServer;
let folder: string;

beforeAll(async () => {
  living = await LivingServer.start();
  folder = await mkdtemp(join(tmpdir(), "hostwright-bad-"));
});

afterAll(async () => {
  await living?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** A second platform of the same code. */
async function putPlatform(name: string): Promise<string> {
  const path = join(folder, name);
  await cp(living.codebases["6.8"], path, { recursive: true });
  await living.hw.platforms.put({ name, server: "web1", type: wordpress.platform(), source: { path } });
  return path;
}

test("a platform whose source is gone is named by the server's verify, which sets a site right beside it", async () => {
  const { id } = await living.hw.sites.get(FIRST);
  const path = await putPlatform("gone");
  await rm(path, { recursive: true });
  await living.host.sh(`chmod 0700 /srv/sites/${id}/conf`);
  const plan = await living.hw.plan(verify("web1"));
  const { problems } = plan.value;
  const named = problems.filter(({ code }) => code === "HW_PLATFORM_INVALID");
  expect(named.map(({ message }) => message)).toEqual([expect.stringContaining("platform gone: ")]);
  await living.hw.run(plan);
  expect((await living.host.sh(`stat -c %a /srv/sites/${id}/conf`)).trim()).toBe("750");
  await living.hw.platforms.remove("gone");
  await living.expectUnharmed();
});

test("a stopped database does not stop the verify of its server, and its sites are named", async () => {
  await living.host.sh("systemctl stop mariadb");
  const plan = await living.hw.plan(verify("web1"));
  const { problems } = plan.value;
  expect(problems.map(({ message }) => message).join("\n")).toContain(FIRST);
  await living.hw.run(plan);
  await living.host.sh("systemctl start mariadb");
  expect((await living.hw.plan(verify("web1"))).empty).toBe(true);
  expect((await page(living.host, FIRST, "/")).status).toBe(200);
});

test("a published platform goes with its release by a task, and only once no site is on it", async () => {
  await expect(living.hw.plan(deletePlatform("wordpress"))).rejects.toMatchObject({
    code: "HW_RECORD_IN_USE",
    message: expect.stringContaining(FIRST) as string,
  });
  await putPlatform("second");
  await living.hw.run(verify("second"));
  expect(await living.host.sh("ls /srv/platforms")).toContain("second");
  await expect(living.hw.platforms.remove("second")).rejects.toMatchObject({
    code: "HW_RECORD_IN_USE",
    remedy: expect.stringContaining('deletePlatform("second")') as string,
  });
  await living.hw.run(deletePlatform("second"));
  expect(await living.host.sh("ls /srv/platforms")).not.toContain("second");
  expect((await living.hw.platforms.list()).map(({ name }) => name)).toEqual(["wordpress"]);
  await living.hw.run(disable(FIRST));
  await living.hw.run(enable(FIRST));
  expect((await page(living.host, FIRST, "/")).status).toBe(200);
});
