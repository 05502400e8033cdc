import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FakeServer } from "../../test/fake-world.ts";
import { loginKey } from "../../test/login-key.ts";
import { plainHttp, plainPlugin } from "../../test/plain-plugin.ts";
import type { Plugin } from "../contracts/plugin.ts";
import { LocalServer } from "../servers/local-server.ts";
import { provide } from "../di/provider.ts";
import { createHostwright, type Hostwright } from "../hostwright.ts";
import { local, ssh } from "../model/records.ts";
import { secret } from "../model/secret.ts";
import { PART } from "../parts.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { install } from "../tasks/install-site.ts";
import { prepare } from "../tasks/prepare-server.ts";
import { verify } from "../tasks/verify.ts";

const web = { kind: "http", type: "web", options: {} };
/** Another web server, which listens where the first one does. */
const other: Plugin = {
  ...plainPlugin,
  name: "other-plugin",
  platforms: [],
  services: [{ ...plainHttp, type: "other" }],
};
const KEY = loginKey();
const connection = (host: string, key = KEY): ReturnType<typeof ssh> =>
  ssh({ host, hostKey: `SHA256:${"A".repeat(43)}`, privateKey: secret(key) });

let stateDir: string;
let hw: Hostwright;
let opened: FakeServer[];

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), "hostwright-records-"));
  opened = [];
  const openServer = provide(PART.openServer, () => async ({ name }) => {
    // Planning reads only: on this very machine, where a test asks for it.
    if (name === "here") return new LocalServer(name);
    const server = new FakeServer(name);
    opened.push(server);
    return server;
  });
  hw = await createHostwright({ stateDir, plugins: [plainPlugin, other], provide: [openServer] });
  onTestFinished(async () => {
    await hw[Symbol.asyncDispose]();
    rmSync(stateDir, { recursive: true });
  });
});

const refused = (code: string, word: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(word) });

describe("a server's record", () => {
  test("is made with defaults, found by id, name and alias, and touches no server", async () => {
    const made = await hw.servers.put({ name: "web1", connect: connection("web1.example"), services: [web] });
    expect(made).toMatchObject({
      name: "web1",
      connect: { type: "ssh", host: "web1.example", port: 22, user: "root" },
      addresses: ["web1.example"],
      services: [{ name: "http", kind: "http", type: "web", options: { port: 80 }, optionsVersion: 3 }],
      managedBy: null,
    });
    for (const name of [made.id, "web1", "@web1"]) expect(await hw.servers.get(name)).toEqual(made);
    expect(await hw.servers.list()).toEqual([made]);
    expect(opened).toEqual([]);
  });

  test("put by several at once for the first time is one record, with one key", async () => {
    const puts = Array.from({ length: 5 }, async (_, n) =>
      hw.servers.put({ name: "web1", connect: connection("web1.example"), services: n === 0 ? [web] : [] }),
    );
    const made = await Promise.all(puts);
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await hw.servers.list()).toHaveLength(1);
    const platforms = await Promise.all(
      Array.from({ length: 5 }, async () =>
        hw.platforms.put({ name: "p1", server: "web1", type: { type: "blog", options: {} } }),
      ),
    );
    expect(new Set(platforms.map(({ id }) => id)).size).toBe(1);
    const db = new DatabaseSync(join(stateDir, "store.db"), { readOnly: true });
    expect(db.prepare("SELECT id FROM secrets").all()).toEqual([{ id: `server/${made[0]?.id}/private-key` }]);
    db.close();
  });

  test("put again as it is stays as it is", async () => {
    const input = { name: "web1", connect: connection("web1.example"), services: [web] };
    const made = await hw.servers.put(input);
    expect(await hw.servers.put(input)).toEqual(made);
    expect(await hw.servers.put({ name: "web1" })).toEqual(made);
  });

  test("put again as it is leaves its connection open; another key or host opens a new one for what comes", async () => {
    const put = async (...given: Parameters<typeof connection>): Promise<void> =>
      void (await hw.servers.put({ name: "web1", connect: connection(...given), services: [web] }));
    await put("web1.example");
    const planned = async (): Promise<number> => {
      // A fake answers no question; it was asked.
      await hw.plan(prepare("web1")).catch(() => undefined);
      return opened.length;
    };
    expect(await planned()).toBe(1);
    await put("web1.example");
    expect(await planned()).toBe(1);
    expect(opened[0]?.closed).toBe(false);
    const another = loginKey();
    await put("web1.example", another);
    expect(await planned()).toBe(2);
    await put("new.example", another);
    expect(await planned()).toBe(3);
    expect(opened.map(({ closed }) => closed)).toEqual([true, true, false]);
  });

  test("changes only in the fields that are given, and keeps its id", async () => {
    const made = await hw.servers.put({ name: "web1", connect: connection("web1.example"), services: [web] });
    const changed = await hw.servers.put({ name: "web1", addresses: ["10.0.0.1"] });
    expect(changed).toEqual({ ...made, addresses: ["10.0.0.1"] });
    const moved = await hw.servers.put({ name: "web1", connect: connection("new.example") });
    expect(moved).toMatchObject({
      id: made.id,
      addresses: ["10.0.0.1"],
      services: made.services,
      connect: { host: "new.example" },
    });
    expect((await hw.servers.put({ name: "web1", services: [] })).services).toEqual([]);
  });

  test("holds no private key, and nothing in the state folder has it in clear", async () => {
    const keys = [loginKey(), loginKey()];
    const made = await hw.servers.put({ name: "web1", connect: connection("web1.example", keys[0]) });
    await hw.servers.put({ name: "web1", connect: connection("web1.example", keys[1]) });
    const hushed = keys.map((key) => key.split("\n")[2] ?? "");
    const records = JSON.stringify([made, await hw.servers.list()]);
    for (const hush of hushed) expect(records).not.toContain(hush);
    const files = readdirSync(stateDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(1);
    for (const file of files)
      for (const hush of hushed) expect(readFileSync(join(file.parentPath, file.name)).includes(hush)).toBe(false);
  });

  test("that is managed elsewhere is written by that alone", async () => {
    const input = { name: "web1", connect: local(), managedBy: "servers.yaml" };
    await hw.servers.put(input);
    for (const managedBy of [undefined, "other.yaml"]) {
      const write = hw.servers.put({ name: "web1", addresses: ["x"], ...(managedBy && { managedBy }) });
      await expect(write).rejects.toThrow(refused("HW_RECORD_MANAGED", "servers.yaml"));
    }
    expect(await hw.servers.put({ ...input, addresses: ["10.0.0.2"] })).toMatchObject({ addresses: ["10.0.0.2"] });
  });

  test.each([
    [{ name: "web1" }, "HW_INPUT_INVALID", "connect"],
    [{ name: "web1", connect: local(), services: [{ ...web, type: "apache" }] }, "HW_SERVICE_UNKNOWN", '"apache"'],
    [{ name: "web1", connect: local(), services: [web, web] }, "HW_INPUT_INVALID", 'two services are named "http"'],
    [
      { name: "web1", connect: local(), services: [web, { ...web, name: "second", options: { port: 80 } }] },
      "HW_INPUT_INVALID",
      'its http services "http" and "second" (web) would both listen at port 80',
    ],
    [
      { name: "web1", connect: local(), services: [web, { ...web, name: "second", options: { port: 8080 } }] },
      "HW_INPUT_INVALID",
      'its http services "http" and "second" (web) would both be the one web.service of this server',
    ],
    [{ name: "web1", connect: local(), services: [{ ...web, options: { prot: 1 } }] }, "HW_INPUT_INVALID", "prot"],
    [{ name: "web1", connect: connection("root@10.0.0.1:22") }, "HW_INPUT_INVALID", "as `user`"],
    [
      { name: "web1", connect: connection("web1.example", "ssh-ed25519 AAAA root@x") },
      "HW_INPUT_INVALID",
      "public key",
    ],
    [{ name: "web1", connect: connection("web1.example", "~/.ssh/id_ed25519") }, "HW_INPUT_INVALID", "a path"],
    [{ name: "web1", connect: local(), addresses: ["10.0.0.1:22"] }, "HW_INPUT_INVALID", "addresses.0"],
    [{ name: "web1", connect: local(), managedBy: "" }, "HW_INPUT_INVALID", "managedBy"],
  ])("%j is refused and nothing is stored", async (input, code, word) => {
    await expect(hw.servers.put(input)).rejects.toThrow(refused(code, word));
    expect(await hw.servers.list()).toEqual([]);
    await expect(hw.servers.get("web1")).rejects.toThrow(refused("HW_NOT_FOUND", "web1"));
  });

  test("two services of a kind need names", async () => {
    const services = [web, { ...web, type: "other", name: "second" }];
    expect(
      (await hw.servers.put({ name: "web1", connect: local(), services })).services.map(({ name }) => name),
    ).toEqual(["http", "second"]);
  });

  test("writers at once lose nothing silently: each change is there, or its writer was refused", async () => {
    await hw.servers.put({ name: "web1", connect: local() });
    const writes = await Promise.allSettled([
      hw.servers.put({ name: "web1", addresses: ["10.0.0.1"] }),
      hw.servers.put({ name: "web1", services: [web] }),
    ]);
    const [addresses, services] = writes.map(({ status }) => status === "fulfilled");
    const record = await hw.servers.get("web1");
    expect([record.addresses[0] === "10.0.0.1", record.services.length === 1]).toEqual([addresses, services]);
  });
});

/** A folder that the test's platform takes for its own. */
function codebase(name: string): string {
  mkdirSync(join(stateDir, name));
  writeFileSync(join(stateDir, name, "blog.php"), "<?php");
  return join(stateDir, name);
}

describe("a platform's record", () => {
  const server = { name: "web1", connect: local() };
  const input = { name: "blog-1", server: "web1", type: { type: "blog", options: {} } };

  test("is made with defaults, changed only in the fields given, and put again as it is stays as it is", async () => {
    const web1 = await hw.servers.put(server);
    const made = await hw.platforms.put(input);
    expect(made).toMatchObject({
      server: web1.id,
      root: "/srv/platforms/blog-1",
      type: "blog",
      options: { port: 80 },
      source: null,
      release: null,
    });
    expect(await hw.platforms.put(input)).toEqual(made);
    const path = codebase("code");
    const changed = await hw.platforms.put({ name: "blog-1", source: { path: `${path}/../code/` } });
    expect(changed).toEqual({ ...made, source: { path } });
    for (const name of [made.id, "blog-1", "@blog-1"]) expect(await hw.platforms.get(name)).toEqual(changed);
    expect(opened).toEqual([]);
  });

  test.each([
    [{ name: "blog-1" }, "HW_INPUT_INVALID", "needs server and type"],
    [{ ...input, server: "web9" }, "HW_NOT_FOUND", "web9"],
    [{ ...input, type: { type: "shop", options: {} } }, "HW_PLATFORM_UNKNOWN", '"shop"'],
    [{ ...input, root: "/srv/../etc" }, "HW_INPUT_INVALID", "root"],
  ])("%j is refused and nothing is stored", async (wrong, code, word) => {
    await hw.servers.put(server);
    await expect(hw.platforms.put(wrong)).rejects.toThrow(refused(code, word));
    expect(await hw.platforms.list()).toEqual([]);
  });

  test.each([
    ["a relative path", "code", "HW_INPUT_INVALID", "source.path: an absolute path"],
    ["a folder that is missing", "/nowhere/code", "HW_PLATFORM_INVALID", "/nowhere/code does not exist"],
    ["a folder below a file", "/etc/passwd/code", "HW_PLATFORM_INVALID", "does not exist"],
    ["a file", "/etc/passwd", "HW_PLATFORM_INVALID", "is no folder"],
    [
      "another thing's folder",
      "/etc",
      "HW_PLATFORM_INVALID",
      "platform blog-1: its source /etc is not a blog codebase",
    ],
  ])("with %s as its source is refused and nothing is stored", async (_what, path, code, word) => {
    await hw.servers.put(server);
    await expect(hw.platforms.put({ ...input, source: { path } })).rejects.toThrow(refused(code, word));
    expect(await hw.platforms.list()).toEqual([]);
  });

  test("whose source went away since is refused by its name when it is planned, and put as it was all the same", async () => {
    await hw.servers.put({ name: "here", connect: local() });
    const source = { path: codebase("code") };
    const made = await hw.platforms.put({ ...input, server: "here", source });
    rmSync(source.path, { recursive: true });
    const missing = refused("HW_PLATFORM_INVALID", `platform blog-1: its source ${source.path} does not exist`);
    await expect(hw.plan(verify("blog-1"))).rejects.toThrow(missing);
    expect(await hw.platforms.put({ ...input, server: "here", source })).toEqual(made);
  });
});

describe("submitting", () => {
  const request = prepare("web1");

  test("the same key and request give the same task, another request is refused", async () => {
    const one = await hw.submit(request, { key: "k1" });
    expect((await hw.submit(request, { key: "k1" })).id).toBe(one.id);
    expect((await hw.submit(request, { key: "k2" })).id).not.toBe(one.id);
    expect((await hw.submit(request)).id).not.toBe(one.id);
    await expect(hw.submit(prepare("web2"), { key: "k1" })).rejects.toThrow(refused("HW_KEY_REUSED", "k1"));
  });

  test("the same approved plan under the same key is one task", async () => {
    await hw.servers.put({ name: "here", connect: local() });
    const plan = await hw.plan(prepare("here"));
    const one = await hw.submit(plan, { key: "k1" });
    expect((await hw.submit(plan, { key: "k1" })).id).toBe(one.id);
  });

  test("is told once, however often it is repeated", async () => {
    await hw.submit(request, { key: "k1" });
    await hw.submit(request, { key: "k1" });
    const last = await hw.submit(request);
    const tasks: (string | null)[] = [];
    for await (const { task } of hw.events()) {
      tasks.push(task);
      if (task === last.id) break;
    }
    expect(tasks).toHaveLength(2);
    expect(new Set(tasks).size).toBe(2);
  });

  test("what is no request is refused with the types there are", async () => {
    await expect(hw.submit({ type: "site:explode" } as never)).rejects.toThrow(
      refused("HW_INPUT_INVALID", "site:explode"),
    );
    await expect(hw.submit(Object.assign({ extra: 1 }, request))).rejects.toThrow(refused("HW_INPUT_INVALID", "extra"));
  });

  test("works nothing: that is for a worker", async () => {
    const { id } = await hw.submit(request);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(opened).toEqual([]);
    await hw.task(id).cancel();
    expect(await hw.task(id).outcome()).toMatchObject({ state: "undone" });
  });
});

describe("an approval", () => {
  test("names a stored plan by id and hash; another hash or an unknown plan is refused", async () => {
    await hw.servers.put({ name: "here", connect: local(), services: [] });
    const plan = await hw.plan(prepare("here"));
    const { plan: id, hash } = plan.approval;
    const task = await hw.submit({ plan: id, hash }, { key: "again" });
    expect(task.id).toBe((await hw.submit(plan, { key: "again" })).id);
    await expect(hw.submit({ plan: id, hash: `${hash}0` })).rejects.toMatchObject({ code: "HW_PLAN_FORGED" });
    await expect(hw.submit({ plan: "p-none", hash })).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
  });

  test("of a plan whose time is over is refused, and no task is made of it", async () => {
    await hw.servers.put({ name: "here", connect: local(), services: [] });
    const plan = await hw.plan(prepare("here"));
    const store = await openSqliteStore({ directory: stateDir });
    onTestFinished(async () => store.close());
    const stored = await store.plans.get(plan.id);
    if (stored !== null) await store.plans.put({ ...stored, expiresAt: new Date(Date.now() - 1).toISOString() });
    for (const give of [async () => hw.submit(plan), async () => hw.submit(plan.approval), async () => hw.run(plan)])
      await expect(give()).rejects.toEqual(refused("HW_PLAN_EXPIRED", plan.id));
    expect((await hw.tasks.list()).tasks).toEqual([]);
  });

  test("given a second time is refused with the plan, its task and what became of it", async () => {
    await hw.servers.put({ name: "here", connect: local(), services: [] });
    const plan = await hw.plan(prepare("here"));
    const task = await hw.submit(plan);
    await task.cancel();
    const refusal = { code: "HW_TASK_STATE", data: { plan: plan.id, task: task.id, state: "undone" } };
    await expect(hw.run(plan)).rejects.toMatchObject(refusal);
    await expect(hw.submit(plan.approval)).rejects.toThrow(
      `Plan ${plan.id} (prepare server here) was submitted before`,
    );
  });
});

describe("whoever may change one record and not another", () => {
  const guest = async (): Promise<ReturnType<Hostwright["as"]>> => {
    const directory = mkdtempSync(join(tmpdir(), "hostwright-records-"));
    const policy = { allow: (_actor: unknown, _verb: string, { name }: { name: string }) => !name.startsWith("own-") };
    const own = await createHostwright({ stateDir: directory, plugins: [plainPlugin], policy });
    onTestFinished(async () => {
      await own[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    });
    const server = await own.servers.put({ name: "own-server", connect: local() });
    const type = { type: "blog", options: {} };
    const platform = await own.platforms.put({ name: "own-blog", server: "own-server", type });
    ids = { server: server.id, platform: platform.id };
    return own.as({ id: "guest" });
  };
  let ids: { readonly server: string; readonly platform: string };

  test("puts none of the others by its id, which is no name", async () => {
    const { servers, platforms } = await guest();
    const word = "form of an id";
    const given = { connect: local(), addresses: ["10.6.6.6"] };
    await expect(servers.put({ name: ids.server, ...given })).rejects.toEqual(refused("HW_INPUT_INVALID", word));
    await expect(platforms.put({ name: ids.platform })).rejects.toEqual(refused("HW_INPUT_INVALID", word));
    // Of another kind: an alias is any of them.
    await expect(servers.put({ name: ids.platform, ...given })).rejects.toEqual(refused("HW_INPUT_INVALID", word));
    await expect(servers.put({ name: "own-server", ...given })).rejects.toEqual(refused("HW_FORBIDDEN", "own-server"));
    await expect(platforms.put({ name: "own-blog" })).rejects.toEqual(refused("HW_FORBIDDEN", "own-blog"));
  });

  test.each([
    ["ｏwn-a.example", []],
    ["other.example", ["own-a。example"]],
  ])("installs %s with %j no more than those in their usual spelling", async (domain, aliases) => {
    const { submit } = await guest();
    await expect(submit(install(domain, { platform: "blog", aliases }))).rejects.toEqual(
      refused("HW_FORBIDDEN", "own-a.example"),
    );
    await submit(install("other.example", { platform: "blog", aliases: ["another.example"] }));
  });
});

test("records that name a kind of service which no loaded plugin brings stay listed as they are", async () => {
  const { records, close } = await openSqliteStore({ directory: stateDir });
  const options = { options: {}, optionsVersion: 1 };
  const services = [{ name: "index", kind: "search", type: "lucene", ...options }];
  const server = { id: "v1", name: "store1", connect: local(), addresses: [], services, managedBy: null };
  const bindings = { http: { service: "http" }, search: { server: "v1", service: "index" } };
  const site = {
    id: "s1",
    domain: "a.example",
    aliases: [],
    status: "installed",
    platform: "p1",
    bindings,
    ...options,
  };
  await records.put({ kind: "server", id: "v1", name: "store1", value: server }, { expect: 0, claims: [] });
  await records.put({ kind: "site", id: "s1", name: "a.example", value: site }, { expect: 0, claims: [] });
  await close();
  expect([await hw.servers.list(), await hw.servers.get("store1")]).toMatchObject([[{ services }], { services }]);
  expect([await hw.sites.list(), await hw.sites.get("a.example")]).toMatchObject([[{ bindings }], { bindings }]);
  const again = services.map(({ kind, type }) => ({ kind, type, options: {} }));
  await expect(hw.servers.put({ name: "store1", services: again })).rejects.toThrow(
    refused("HW_SERVICE_UNKNOWN", "search"),
  );
});

test("a record is put by its name alone, whatever the form of an id", async () => {
  const old = { id: "old-id", name: "web0", connect: { type: "local" }, addresses: [], services: [], managedBy: null };
  const store = await openSqliteStore({ directory: stateDir });
  onTestFinished(async () => store.close());
  await store.records.put({ kind: "server", id: old.id, name: old.name, value: old }, { expect: 0, claims: [] });
  expect((await hw.servers.put({ name: old.id, connect: local() })).id).not.toBe(old.id);
  expect((await hw.servers.list()).map((server) => server.name)).toContain("web0");
  const type = { type: "blog", options: {} };
  const code = { id: "old-code", name: "blog0", server: old.id, root: "/srv/blog0", ...type, optionsVersion: 1 };
  const value = { ...code, source: null, release: null, managedBy: null };
  await store.records.put({ kind: "platform", id: code.id, name: code.name, value }, { expect: 0, claims: [] });
  expect((await hw.platforms.put({ name: code.id, server: "web0", type })).id).not.toBe(code.id);
  expect((await hw.platforms.list()).map((platform) => platform.name)).toContain("blog0");
});

test.each([0, -1, Number.NaN, 1.5, Infinity])(
  "a concurrency of %d is refused, and nothing is worked",
  async (wrong) => {
    expect(() => hw.work({ concurrency: wrong })).toThrow(refused("HW_INPUT_INVALID", "concurrency"));
  },
);

test.each([-1, Number.NaN, 1.5, Infinity])("a cursor of %d is refused", async (after) => {
  await hw.servers.put({ name: "web1", connect: connection("web1.example") });
  const task = await hw.submit(prepare("web1"));
  await expect(task.events({ after }).next()).rejects.toEqual(refused("HW_INPUT_INVALID", "after"));
  expect(() => hw.events({ after })).toThrow(refused("HW_INPUT_INVALID", "after"));
});

test.each([0, -1, Number.NaN, 1.5, Infinity, 2_147_483_648])(
  "a time of %d ms for a task is refused, and no task is made",
  async (timeoutMs) => {
    await hw.servers.put({ name: "web1", connect: connection("web1.example") });
    const submitting = hw.submit(prepare("web1"), { timeoutMs });
    await expect(submitting).rejects.toEqual(refused("HW_INPUT_INVALID", "timeoutMs"));
    expect((await hw.tasks.list()).tasks).toEqual([]);
  },
);
