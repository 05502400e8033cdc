import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createHostwright, deleteSite, disable, enable, verify, type Hostwright, type Plugin } from "@hostwright/core";
import { mysql } from "@hostwright/service-mysql";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FIRST, LivingServer } from "./support/living-server.ts";
import { page } from "./support/page.ts";
import { MARK, VERSION_2 } from "./support/plugin-versions.ts";

let living: LivingServer;

beforeAll(async () => {
  living = await LivingServer.start();
});

afterAll(async () => {
  await living[Symbol.asyncDispose]();
});

/** The same installation as another version of the plugins sees it. */
async function withPlugins(plugins: readonly Plugin[]): Promise<Hostwright> {
  return createHostwright({ stateDir: living.state.path, plugins, provide: [living.gate.provider] });
}

/** A worker process with version 1 takes the queued task, and is killed at that moment of it. */
async function dieAt(event: string, action: number, ms: number): Promise<void> {
  const script = join(import.meta.dirname, "support/version-worker.ts");
  const args = ["--conditions=@hostwright/source", script, living.state.path, event, String(action), String(ms)];
  const env = { ...process.env, AFTER: String(await lastEvent()) };
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"], env });
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
}

async function lastEvent(): Promise<number> {
  let seq = 0;
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  for await (const event of living.hw.events({ signal: stop.signal })) seq = event.seq;
  return seq;
}

/** File names of what a verify would change. */
async function changes(hw: Hostwright, alias: string): Promise<readonly string[]> {
  const { actions } = await hw.plan(verify(alias));
  return actions.flatMap((action) =>
    action.kind !== "ensure" ? [] : action.changes.map(({ key }) => key.slice(key.lastIndexOf("/") + 1)),
  );
}

test("an install that version 1 began is ended by version 2 as it was planned; then verify brings the new rendering", async () => {
  const { hw, host } = living;
  await using hw2 = await withPlugins(VERSION_2);
  const task = await hw.submit(living.install("whole.example.com"));
  // The site is published, and its journal does not know that yet.
  await dieAt("action:started", 5, 0);
  await using worker = hw2.work();
  expect(await task.outcome()).toMatchObject({ state: "succeeded", residue: [] });
  await worker[Symbol.asyncDispose]();
  const { id, optionsVersion } = await hw.sites.get("whole.example.com");
  expect(optionsVersion).toBe(1);
  expect((await page(host, "whole.example.com", "/")).status).toBe(200);
  const files = `/srv/sites/${id}/conf/*.php /srv/sites/${id}/conf/*/*.php /etc/hostwright/nginx/current/${id}.conf`;
  const old = await host.sh(`tail -n +1 ${files}`);
  expect(old).not.toContain(MARK);

  const rendered = ["wp-config.php", "settings.php", "site.php", `${id}.conf`];
  expect(await changes(hw2, "whole.example.com")).toEqual(rendered);
  await hw2.run(verify("whole.example.com"));
  const now = (await host.sh(`tail -n +1 ${files}`)).split("\n");
  expect(now.filter((line) => line.includes(MARK))).toHaveLength(rendered.length);
  expect(now.filter((line) => !line.includes(MARK)).join("\n")).toBe(old);
  expect(await changes(hw2, "whole.example.com")).toEqual([]);
  expect((await page(host, "whole.example.com", "/")).status).toBe(200);

  // What version 2 writes, version 1 refuses, and that site alone.
  await hw2.run(disable("whole.example.com"));
  await hw2.run(enable("whole.example.com"));
  expect((await hw.sites.get("whole.example.com")).options).toEqual({ language: "en_US", tablePrefix: "wp_" });
  const refusal = { code: "HW_OPTIONS_INCOMPATIBLE", message: expect.stringContaining("whole.example.com") as unknown };
  await expect(hw.plan(verify("whole.example.com"))).rejects.toMatchObject(refusal);
  const plan = await hw.plan(verify("web1"));
  expect(plan.actions.filter((action) => JSON.stringify(action).includes(id))).toEqual([]);
  expect(plan.value.problems).toContainEqual(expect.objectContaining(refusal));

  await hw2.run(deleteSite("whole.example.com"));
  await living.expectUnharmed();
});

test("an install that version 1 left in the middle of its installer is undone by version 2", async () => {
  const { hw, host } = living;
  await using hw2 = await withPlugins(VERSION_2);
  const task = await hw.submit(living.install("half.example.com"));
  await dieAt("action:started", 3, 300);
  await using _worker = hw2.work();
  expect(await task.outcome()).toMatchObject({ state: "undone", residue: [], error: { code: "HW_INTERRUPTED" } });
  // Its fence stays: something that its first worker has sent may still arrive.
  const { id } = await hw.sites.get(FIRST);
  await host.sh(`find /var/lib/hostwright/fence -name 'site-*' ! -name 'site-${id}*' -delete`);
  await living.expectUnharmed();
});

test("without the plugin of its database nobody touches an unfinished install, nor what its neighbours have", async () => {
  const { hw, host } = living;
  const task = await hw.submit(living.install("stranded.example.com"));
  await dieAt("action:started", 5, 0);
  const before = await host.sh("find /etc/hostwright /srv/sites /etc/systemd/system -printf '%p %T@\\n' | sort");
  {
    await using without = await withPlugins(VERSION_2.filter((plugin) => plugin !== mysql));
    const after = await lastEvent();
    await using _worker = without.work();
    const stop = new AbortController();
    for await (const event of without.events({ after, signal: stop.signal })) {
      if (event.type !== "task:stranded") continue;
      expect(event.task).toBe(task.id);
      stop.abort();
    }
    const missing = expect.arrayContaining([expect.stringContaining("@hostwright/service-mysql")]) as unknown;
    expect(await without.stranded()).toEqual([{ task: task.id, type: "site:install", state: "running", missing }]);
    expect((await without.sites.list()).map((site) => site.domain)).toContain(FIRST);
    await expect(without.run(verify(FIRST))).rejects.toMatchObject({ code: "HW_PLUGIN_MISSING" });
    const { approval } = await hw.plan(deleteSite(FIRST));
    await expect(without.run(approval)).rejects.toMatchObject({ code: "HW_PLUGIN_MISSING", data: { state: "undone" } });
    const plan = await without.plan(verify("web1"));
    expect(JSON.stringify(plan.actions)).not.toContain("site/");
    const problem = { code: "HW_PLUGIN_MISSING", server: "web1", tolerable: true };
    expect(plan.value.problems.filter(({ code }) => code === problem.code)).toEqual([expect.objectContaining(problem)]);
  }
  expect(await host.sh("find /etc/hostwright /srv/sites /etc/systemd/system -printf '%p %T@\\n' | sort")).toBe(before);
  await using hw2 = await withPlugins(VERSION_2);
  expect(await hw2.stranded()).toEqual([]);
  await using worker = hw2.work();
  expect(await task.outcome()).toMatchObject({ state: "succeeded", residue: [] });
  await worker[Symbol.asyncDispose]();
  await hw2.run(deleteSite("stranded.example.com"));
  await living.expectUnharmed();
});
