import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { api, createHostwright, local, prepare, secret, verify, type Hostwright } from "@hostwright/core";
import { CONTRACT, defineBackingService, directory } from "@hostwright/core/plugin";
import { nginx } from "@hostwright/service-nginx";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { exampleDns } from "../../examples/plugins/dns.ts";
import { DnsApi } from "../support/dns-api.ts";

const A = { "a.test": "192.0.2.1" };
const BOTH = { ...A, "b.test": "192.0.2.2" };

/** Wants a folder wherever it is put. */
const misplaced = defineBackingService({
  name: "misplaced",
  contract: CONTRACT,
  kind: { name: "misplaced", version: 1, title: "folder", role: "backing" },
  type: "misplaced",
  options: { version: 1, schema: z.strictObject({}) },
  packages: () => ["some-package"],
  facts: () => ({}),
  problems: () => [],
  role: {
    protocol: "none",
    server: () => [directory({ path: "/srv/misplaced" })],
    site: () => [],
    binding: ({ siteId, password }) => ({
      protocol: "none",
      host: "",
      port: null,
      socket: null,
      user: siteId,
      password,
    }),
  },
});

let dns: DnsApi;
let stateDir: string;
let hw: Hostwright;

const open = async (): Promise<Hostwright> => createHostwright({ stateDir, plugins: [exampleDns, misplaced, nginx] });
const wanted = async (records: Readonly<Record<string, string>>): Promise<void> => {
  const services = [exampleDns.service({ url: dns.url, records })];
  await hw.servers.put({ name: "dns", connect: api(secret(dns.token)), services });
};

beforeEach(async () => {
  dns = await DnsApi.start();
  stateDir = mkdtempSync(join(tmpdir(), "hostwright-api-"));
  hw = await open();
  onTestFinished(async () => {
    await hw[Symbol.asyncDispose]();
    await dns[Symbol.asyncDispose]();
    rmSync(stateDir, { recursive: true, force: true });
  });
});

test("what a service has at an API comes, changes and goes by core's own tasks, and is read in one request", async () => {
  await wanted(BOTH);
  const plan = await hw.plan(prepare("dns"));
  expect(plan.render()).toContain("+ example-dns-record a.test");
  await hw.run(prepare("dns"));
  expect(dns.addresses).toEqual(BOTH);
  dns.asked.length = 0;
  expect((await hw.plan(verify("dns"))).actions).toEqual([]);
  expect(dns.asked).toEqual(["GET records"]);
  await wanted({ "a.test": "192.0.2.9" });
  await hw.run(verify("dns"));
  expect(dns.addresses).toEqual({ "a.test": "192.0.2.9" });
  dns.set("a.test", "198.51.100.1");
  expect((await hw.plan(verify("dns"))).render()).toContain("198.51.100.1");
  await hw.run(verify("dns"));
  expect(dns.addresses).toEqual({ "a.test": "192.0.2.9" });
});

test("its credentials are sealed, and are in no plan, event or error", async () => {
  await wanted(A);
  const task = await hw.submit(prepare("dns"));
  dns.interrupt = async () => Promise.resolve(403);
  await using _working = hw.work();
  const outcome = await task.outcome();
  expect(outcome).toMatchObject({ state: "undone", error: { code: "HW_COMMAND_FAILED" } });
  await hw[Symbol.asyncDispose]();
  for (const name of readdirSync(stateDir))
    expect(readFileSync(join(stateDir, name)).includes(dns.token), name).toBe(false);
  expect(JSON.stringify(outcome)).not.toContain(dns.token);
});

test("what was made is taken back when a later change fails", async () => {
  dns.set("other.test", "198.51.100.7");
  await wanted(BOTH);
  dns.interrupt = async (asked) => Promise.resolve(asked === "PUT records/b.test" ? 403 : null);
  await expect(hw.run(prepare("dns"))).rejects.toMatchObject({ code: "HW_COMMAND_FAILED", server: "dns" });
  expect(dns.asked).toContain("PUT records/a.test");
  expect(dns.addresses).toEqual({ "other.test": "198.51.100.7" });
});

test("what somebody else changed meanwhile is left to them, by the API's own conditions", async () => {
  await wanted(A);
  dns.interrupt = async (_asked, when) => {
    if (when === "before" && dns.records.size === 0) dns.set("a.test", "198.51.100.1");
    return Promise.resolve(null);
  };
  await expect(hw.run(prepare("dns"))).rejects.toMatchObject({ code: "HW_RESOURCE_CHANGED" });
  expect(dns.addresses).toEqual({ "a.test": "198.51.100.1" });
});

test.each(["before", "after"] as const)(
  "a worker that is killed %s its change leaves all of it or nothing, and the next one knows which",
  async (moment) => {
    await wanted(BOTH);
    await hw[Symbol.asyncDispose]();
    const reached = Promise.withResolvers<void>();
    const never = new Promise<never>(() => undefined);
    dns.interrupt = async (asked, when) => {
      if (asked !== "PUT records/b.test" || when !== moment) return null;
      reached.resolve();
      return never;
    };
    const script = join(import.meta.dirname, "../support/dns-worker.ts");
    const worker = spawn(process.execPath, ["--conditions=@hostwright/source", script, stateDir], { stdio: "inherit" });
    const ended = once(worker, "exit");
    await Promise.race([reached.promise, ended.then(() => Promise.reject(new Error("the worker ended by itself")))]);
    worker.kill("SIGKILL");
    await ended;
    dns.interrupt = async () => Promise.resolve(null);

    hw = await open();
    await using _working = hw.work();
    const [summary] = (await hw.tasks.list()).tasks;
    const { state } = await hw.task(summary?.id ?? "").outcome();
    expect(["succeeded", "undone"]).toContain(state);
    expect(dns.addresses).toEqual(state === "succeeded" ? BOTH : {});
    await hw.run(prepare("dns"));
    expect(dns.addresses).toEqual(BOTH);
    expect((await hw.plan(verify("dns"))).actions).toEqual([]);
  },
);

test("what needs a machine is refused at an API, and an API becomes no machine", async () => {
  await wanted({});
  const put = async (change: object): Promise<unknown> => hw.servers.put({ name: "dns", ...change });
  await expect(put({ services: [nginx.service()] })).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  await expect(put({ connect: local() })).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  await put({ services: [misplaced.service()] });
  await expect(hw.plan(prepare("dns"))).rejects.toMatchObject({ code: "HW_HOST_UNSUPPORTED", server: "dns" });
});

test("a record without its credentials is told, and goes with them", async () => {
  await wanted({});
  expect(await hw.check()).toEqual([]);
  const secrets = (sql: string): unknown => {
    using db = new DatabaseSync(join(stateDir, "store.db"));
    return db.prepare(sql).all();
  };
  secrets("DELETE FROM secrets WHERE id LIKE 'server/%/credentials'");
  const where = "server dns";
  const told = { code: "HW_SECRET_UNREADABLE", where, what: "its credentials are not there" };
  expect(await hw.check()).toEqual([expect.objectContaining(told)]);
  await hw.servers.remove("dns");
  expect(secrets("SELECT id FROM secrets")).toEqual([]);
  expect(await hw.check()).toEqual([]);
});
