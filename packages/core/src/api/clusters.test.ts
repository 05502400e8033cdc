import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FakeServer } from "../../test/fake-world.ts";
import { loginKey } from "../../test/login-key.ts";
import { plainPlugin } from "../../test/plain-plugin.ts";
import { provide } from "../di/provider.ts";
import { createHostwright, type Hostwright } from "../hostwright.ts";
import { api, cluster, ssh, type ServerRecord } from "../model/records.ts";
import { secret } from "../model/secret.ts";
import { PART } from "../parts.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { prepare } from "../tasks/prepare-server.ts";
import { takeOver } from "../tasks/take-over.ts";

let stateDir: string;
let hw: Hostwright;
let machines: readonly ServerRecord[];

const web = { kind: "http", type: "web", options: {} };
const openServer = provide(
  PART.openServer,
  () =>
    async ({ name }) =>
      new FakeServer(name),
);
const connect = ssh({ host: "web.example", hostKey: `SHA256:${"A".repeat(43)}`, privateKey: secret(loginKey()) });

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), "hostwright-clusters-"));
  // An actor sees what is named after it, and what is shared.
  const policy = {
    allow: (actor: { readonly id: string }, _verb: string, { name }: { readonly name: string }) =>
      name.startsWith(actor.id),
  };
  hw = await createHostwright({ stateDir, plugins: [plainPlugin], provide: [openServer], policy });
  onTestFinished(async () => {
    await hw[Symbol.asyncDispose]();
    rmSync(stateDir, { recursive: true });
  });
  machines = await Promise.all(
    ["web1", "web2", "bare"].map(async (name) =>
      hw.servers.put({ name, connect, services: name === "bare" ? [] : [web] }),
    ),
  );
});

const refused = (...words: readonly string[]): unknown =>
  expect.objectContaining({ code: "HW_INPUT_INVALID", message: expect.stringMatching(new RegExp(words.join(".*"))) });

describe("the record of a cluster", () => {
  test("has its members by their ids, in their order, and neither services nor addresses", async () => {
    const [web1, web2] = machines;
    const made = await hw.servers.put({ name: "web", connect: cluster("web2", `${web1?.id}`) });
    expect(made).toMatchObject({
      connect: { type: "cluster", members: [{ server: web2?.id }, { server: web1?.id }] },
      services: [],
      addresses: [],
    });
    expect(await hw.servers.put({ name: "web" })).toEqual(made);
    expect(await hw.check()).toEqual([]);
  });

  test.each([
    ["nobody", [] as string[], {}, ["Too small"]],
    ["one twice", ["web1", "web1"], {}, ["web1 is named twice"]],
    ["an API", ["web1", "dns"], {}, ["dns is no machine"]],
    ["another cluster", ["other"], {}, ["other is no machine"]],
    ["a member of another one", ["web1", "bare"], {}, ["bare is a member of other already"]],
    ["services of its own", ["web1"], { services: [web] }, ["has the services and addresses of its members"]],
    ["addresses of its own", ["web1"], { addresses: ["192.0.2.1"] }, ["has the services and addresses"]],
  ])("with %s is refused", async (_what, members, change, words) => {
    await hw.servers.put({ name: "dns", connect: api(secret("token")) });
    await hw.servers.put({ name: "other", connect: cluster("bare") });
    await expect(hw.servers.put({ name: "web", connect: cluster(...members), ...change })).rejects.toEqual(
      refused(...words),
    );
    await expect(hw.servers.get("web")).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
  });

  test("with a member that is not there is refused", async () => {
    const put = hw.servers.put({ name: "web", connect: cluster("web1", "gone") });
    await expect(put).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
  });

  test("becomes no machine, and a machine no cluster", async () => {
    await hw.servers.put({ name: "web", connect: cluster("web1") });
    await expect(hw.servers.put({ name: "web", connect })).rejects.toEqual(refused("become none of the others"));
    await expect(hw.servers.put({ name: "bare", connect: cluster("web2") })).rejects.toEqual(
      refused("become none of the others"),
    );
  });

  test("keeps its members' records from being forgotten, and goes itself once no platform is on it", async () => {
    await hw.servers.put({ name: "web", connect: cluster("web1", "web2") });
    await hw.platforms.put({ name: "blog", server: "web", type: { type: "blog", options: {} } });
    await expect(hw.servers.remove("web2")).rejects.toMatchObject({
      code: "HW_RECORD_IN_USE",
      message: expect.stringContaining("is a member of: web") as string,
    });
    await expect(hw.servers.remove("web")).rejects.toMatchObject({ code: "HW_RECORD_IN_USE" });
    await hw.platforms.remove("blog");
    await hw.servers.remove("web");
    await hw.servers.remove("web2");
  });

  test("keeps a member's record against a store's own transaction as well", async () => {
    await hw.servers.put({ name: "web", connect: cluster("web1") });
    const store = await openSqliteStore({ directory: stateDir });
    onTestFinished(async () => store.close());
    const id = machines[0]?.id ?? "";
    await expect(store.records.forget("server", id, 1)).rejects.toMatchObject({
      code: "HW_TASK_STATE",
      message: expect.stringContaining("needed by the server web") as string,
    });
  });

  test("takes in no server without the http service by which its sites are served", async () => {
    await hw.servers.put({ name: "web", connect: cluster("web1") });
    const { id } = await hw.platforms.put({ name: "blog", server: "web", type: { type: "blog", options: {} } });
    const store = await openSqliteStore({ directory: stateDir });
    onTestFinished(async () => store.close());
    const site = { id: "s1", status: "installed", platform: id, bindings: { http: { service: "http" } } };
    await store.records.put({ kind: "site", id: "s1", name: "a.example.com", value: site }, { expect: 0, claims: [] });
    await expect(hw.servers.put({ name: "web", connect: cluster("web1", "bare") })).rejects.toEqual(
      refused('bare has no http service "http"'),
    );
    await expect(hw.servers.put({ name: "web1", services: [] })).rejects.toMatchObject({ code: "HW_RECORD_IN_USE" });
    await hw.servers.put({ name: "web", connect: cluster("web1", "web2") });
  });

  test("takes in no server that its actor may not put", async () => {
    const actor = hw.as({ id: "web", roles: [] } as never);
    await actor.servers.put({ name: "web", connect: cluster("web1") });
    const put = actor.servers.put({ name: "web", connect: cluster("web1", "bare") });
    await expect(put).rejects.toMatchObject({ code: "HW_NOT_FOUND" });
  });
});

test("a cluster is nothing that can be taken over, or worked on by itself", async () => {
  await hw.servers.put({ name: "web", connect: cluster("web1", "web2") });
  await expect(hw.plan(takeOver("web"))).rejects.toEqual(refused("web is a cluster of 2 servers"));
  // A fake answers no question; each of its members is asked.
  await expect(hw.plan(prepare("web"))).rejects.not.toMatchObject({ code: "HW_INPUT_INVALID" });
});
