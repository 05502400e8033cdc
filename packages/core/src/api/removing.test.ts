import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { FakeServer } from "../../test/fake-world.ts";
import { loginKey } from "../../test/login-key.ts";
import { plainPlugin } from "../../test/plain-plugin.ts";
import type { StateStore } from "../contracts/store.ts";
import { provide } from "../di/provider.ts";
import { createHostwright, type Hostwright } from "../hostwright.ts";
import { local, ssh, type ServerRecord, type SiteRecord } from "../model/records.ts";
import { secret } from "../model/secret.ts";
import { PART } from "../parts.ts";
import { TableRecords } from "../store/state/table-records.ts";
import { TableSecrets } from "../store/state/table-secrets.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { deletePlatform } from "../tasks/delete-platform.ts";
import { prepare } from "../tasks/prepare-server.ts";

let stateDir: string;
let hw: Hostwright;
let store: StateStore;
let web1: ServerRecord;
let opened: FakeServer[];

const openServer = provide(PART.openServer, () => async ({ name }) => {
  const server = new FakeServer(name);
  opened.push(server);
  return server;
});

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), "hostwright-removing-"));
  opened = [];
  hw = await createHostwright({ stateDir, plugins: [plainPlugin], provide: [openServer] });
  store = await openSqliteStore({ directory: stateDir });
  onTestFinished(async () => {
    await hw[Symbol.asyncDispose]();
    await store.close();
    rmSync(stateDir, { recursive: true });
  });
  const connect = ssh({ host: "web1.example", hostKey: `SHA256:${"A".repeat(43)}`, privateKey: secret(loginKey()) });
  web1 = await hw.servers.put({ name: "web1", connect });
});

const putPlatform = async (name = "blog-1"): Promise<{ readonly id: string; readonly server: string }> =>
  hw.platforms.put({ name, server: "web1", type: { type: "blog", options: {} } });

async function putSite(change: Partial<SiteRecord>, name = change.domain ?? ""): Promise<void> {
  const value = { id: "s1", status: "installed", aliases: [], ...change };
  await store.records.put({ kind: "site", id: value.id, name, value }, { expect: 0, claims: [] });
}

const inUse = (...words: string[]): unknown =>
  expect.objectContaining({
    code: "HW_RECORD_IN_USE",
    message: expect.stringMatching(new RegExp(words.join(".*"))),
  });

describe("a server that nothing needs", () => {
  test("is forgotten at once, with its key and what is registered there, and says what stays on it", async () => {
    const row = { server: web1.id, type: "file", key: "/etc/x", owner: `server/${web1.id}`, shared: false, hash: "h" };
    await store.register.put([row]);
    expect(await hw.servers.remove("web1")).toEqual({
      id: web1.id,
      name: "web1",
      left: [{ type: "file", key: "/etc/x" }],
    });
    await expect(hw.servers.get("web1")).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
    expect(await store.register.onServer(web1.id)).toEqual([]);
    expect((await store.secrets.get([`server/${web1.id}/private-key`])).size).toBe(0);
    expect(opened).toEqual([]);
    expect((await hw.servers.put({ name: "web1", connect: local() })).id).not.toBe(web1.id);
  });
});

describe("a secret that is set while its owner is removed", () => {
  /** Removed after the record was read and before the secret is written. */
  function removedMeanwhile(remove: () => Promise<unknown>): void {
    const { replace } = TableSecrets.prototype;
    vi.spyOn(TableSecrets.prototype, "replace").mockImplementationOnce(async function (this: TableSecrets, ...given) {
      await remove();
      return replace.apply(this, given);
    });
    onTestFinished(() => void vi.restoreAllMocks());
  }
  const kept = async (): Promise<readonly string[]> => (await store.secrets.list("", { limit: 9 })).map(({ id }) => id);

  test("goes with it: another key of a server makes it anew", async () => {
    removedMeanwhile(async () => hw.servers.remove("web1"));
    const connect = ssh({ host: "web1.example", hostKey: `SHA256:${"A".repeat(43)}`, privateKey: secret(loginKey()) });
    const { id } = await hw.servers.put({ name: "web1", connect });
    expect(id).not.toBe(web1.id);
    expect(await hw.servers.get("web1")).toMatchObject({ id });
    expect(await kept()).toEqual([`server/${id}/private-key`]);
  });

  test.each(["get", "put"] as const)("goes with it: a key that comes with another address, after %s", async (call) => {
    const known = TableRecords.prototype[call] as (...given: readonly unknown[]) => Promise<unknown>;
    const raced = async function (this: TableRecords, ...given: readonly unknown[]): Promise<unknown> {
      const answer = await known.apply(this, [...given]);
      await hw.servers.remove("web1");
      return answer;
    };
    vi.spyOn(TableRecords.prototype, call).mockImplementationOnce(raced as never);
    onTestFinished(() => void vi.restoreAllMocks());
    const connect = ssh({ host: "new.example", hostKey: `SHA256:${"A".repeat(43)}`, privateKey: secret(loginKey()) });
    await hw.servers.put({ name: "web1", connect });
    const present = (await hw.servers.list()).map(({ id }) => `server/${id}/private-key`);
    expect(present).toHaveLength(call === "get" ? 1 : 0);
    expect(await kept()).toEqual(present);
  });

  test("goes with it: a password of a site is refused", async () => {
    await putSite({ id: "s1", domain: "a.example", status: "installed" });
    removedMeanwhile(async () => store.records.forget("site", "s1", 1));
    const setting = hw.sites.setPassword("a.example", "ada", secret("a long password"));
    await expect(setting).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
    expect(await kept()).toEqual([`server/${web1.id}/private-key`]);
  });
});

describe("is refused, naming by what it is used, and nothing is changed:", () => {
  test("a server with platforms", async () => {
    await putPlatform("blog-1");
    await putPlatform("blog-2");
    await expect(hw.servers.remove("web1")).rejects.toEqual(inUse("web1", "blog-1, blog-2"));
    expect(await hw.servers.get("web1")).toEqual(web1);
  });

  test("a server with the database or the cache of a site elsewhere", async () => {
    const place = { server: web1.id, service: "db" };
    await putSite({ id: "s1", domain: "a.example", bindings: { http: { service: "http" }, db: place } });
    await putSite({ id: "s2", domain: "b.example", bindings: { http: { service: "http" }, cache: place } });
    await expect(hw.servers.remove(web1.id)).rejects.toEqual(inUse("a.example, b.example"));
  });

  test("a server on which a task works", async () => {
    await store.leases.acquire("t1", "holder", [{ scope: `server/${web1.id}`, mode: "shared" }]);
    await expect(hw.servers.remove("web1")).rejects.toEqual(inUse("task t1"));
  });

  test("a platform with sites, also one that is being installed, by removal and by task", async () => {
    const { id } = await putPlatform();
    for (let n = 1; n <= 7; n++)
      await putSite({
        id: `s${n}`,
        domain: `s${n}.example`,
        platform: id,
        status: n === 1 ? "installing" : "installed",
      });
    await expect(hw.platforms.remove("blog-1")).rejects.toEqual(inUse("s1.example", "and 2 more"));
    await expect(hw.plan(deletePlatform("blog-1"))).rejects.toEqual(inUse("s1.example", "and 2 more"));
  });

  test("a platform that is published: a task removes its release too", async () => {
    const { id, server } = await putPlatform();
    await store.register.put([
      { server, type: "tree", key: "/srv/p", owner: `platform/${id}`, shared: false, hash: null },
    ]);
    await expect(hw.platforms.remove("blog-1")).rejects.toMatchObject({
      code: "HW_RECORD_IN_USE",
      remedy: expect.stringContaining('deletePlatform("blog-1")') as string,
    });
  });

  test("a site that is installed, or has something on a server, or that a task is to make", async () => {
    await putSite({ id: "s1", domain: "a.example" });
    await expect(hw.sites.remove("a.example")).rejects.toEqual(inUse("is installed"));
    await putSite({ id: "s2", domain: "b.example", status: "installing" });
    const row = { server: web1.id, type: "unix-user", key: "s2", owner: "site/s2", shared: false, hash: null };
    await store.register.put([row]);
    await expect(hw.sites.remove("b.example")).rejects.toEqual(inUse("unix-user s2", "web1"));
    const { id } = await hw.submit(prepare("web1"));
    await putSite({ id: "s3", domain: "c.example", status: "draft" }, id);
    await expect(hw.sites.remove("s3")).rejects.toEqual(inUse(`Task ${id}`));
  });

  test("a record that is held elsewhere, by whoever does not hold it", async () => {
    await hw.servers.put({ name: "web1", managedBy: "servers.yaml" });
    await expect(hw.servers.remove("web1")).rejects.toMatchObject({ code: "HW_RECORD_MANAGED" });
    expect(await hw.servers.remove("web1", { managedBy: "servers.yaml" })).toMatchObject({ name: "web1" });
  });
});

test("a platform that was never published is forgotten at once, and its server may go then", async () => {
  await putPlatform();
  expect(await hw.platforms.remove("blog-1")).toMatchObject({ name: "blog-1", left: [] });
  expect(await hw.platforms.list()).toEqual([]);
  await hw.servers.remove("web1");
  expect(await hw.servers.list()).toEqual([]);
});

test("what an abandoned installation has reserved is given back, with its secrets", async () => {
  await putSite({ id: "s1", domain: "a.example", status: "installing" });
  await store.secrets.replace("site/s1/db-password", "sealed");
  expect(await hw.sites.remove("a.example")).toMatchObject({ id: "s1", name: "a.example" });
  expect(await store.records.claimedBy("site", "a.example")).toBeNull();
  expect((await store.secrets.get(["site/s1/db-password"])).size).toBe(0);
});

test("a platform is deleted by a task, published or not", async () => {
  await putPlatform();
  expect(await hw.run(deletePlatform("blog-1"))).toEqual({ platform: "blog-1", server: "web1" });
  expect(await hw.platforms.list()).toEqual([]);
});

test("removal has a verb of its own", async () => {
  await hw[Symbol.asyncDispose]();
  const policy = { allow: (_actor: unknown, verb: string): boolean => !verb.endsWith(":remove") };
  hw = await createHostwright({ stateDir, plugins: [plainPlugin], provide: [openServer], policy });
  await putPlatform();
  const guest = hw.as({ id: "guest" });
  await expect(guest.platforms.remove("blog-1")).rejects.toMatchObject({ code: "HW_FORBIDDEN" });
  await expect(guest.servers.remove("web1")).rejects.toMatchObject({ code: "HW_FORBIDDEN" });
});

describe("a removal that something else is faster than", () => {
  /** Something that is done between the looks of a removal and the removal itself, once. */
  function inBetween(work: () => Promise<unknown>): void {
    const records = TableRecords.prototype;
    const forget = records.forget;
    const spy = vi.spyOn(records, "forget").mockImplementationOnce(async function (this: TableRecords, ...given) {
      await work();
      return forget.apply(this, given);
    });
    onTestFinished(() => spy.mockRestore());
  }

  test("of a server is refused by the platform that was put on it, by name", async () => {
    inBetween(async () => putPlatform("blog-1"));
    await expect(hw.servers.remove("web1")).rejects.toEqual(inUse("web1", "blog-1"));
    expect(await hw.servers.get("web1")).toEqual(web1);
    expect((await store.secrets.get([`server/${web1.id}/private-key`])).size).toBe(1);
  });

  test("of a platform is refused by a task that has it by then", async () => {
    const { id } = await putPlatform();
    inBetween(async () => store.leases.acquire("t1", "holder", [{ scope: `platform/${id}`, mode: "shared" }]));
    await expect(hw.platforms.remove("blog-1")).rejects.toEqual(inUse("task t1"));
  });

  test("takes a record that was only put anew as it is by then, and asks anew whose it is", async () => {
    inBetween(async () => hw.servers.put({ name: "web1", addresses: ["192.0.2.7"] }));
    expect(await hw.servers.remove("web1")).toMatchObject({ id: web1.id });
    web1 = await hw.servers.put({ name: "web1", connect: local() });
    inBetween(async () => hw.servers.put({ name: "web1", managedBy: "servers.yaml" }));
    await expect(hw.servers.remove("web1")).rejects.toMatchObject({ code: "HW_RECORD_MANAGED" });
    expect(await hw.servers.get("web1")).toMatchObject({ id: web1.id });
  });
});

test("a platform is not put on a server that goes meanwhile", async () => {
  const records = TableRecords.prototype;
  const put = records.put;
  const spy = vi.spyOn(records, "put").mockImplementationOnce(async function (this: TableRecords, ...given) {
    await hw.servers.remove("web1");
    return put.apply(this, given);
  });
  onTestFinished(() => spy.mockRestore());
  await expect(putPlatform()).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
  expect(await hw.platforms.list()).toEqual([]);
});
