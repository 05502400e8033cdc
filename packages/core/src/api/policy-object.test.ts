import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StateStore } from "../contracts/store.ts";
import type { PlainRequest } from "../contracts/task.ts";
import { parseRequest } from "../engine/planning/parse-request.ts";
import { coreTasks } from "../tasks/core-tasks.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { Access } from "./access.ts";
import { objectOf, objectsOf, rightsTo } from "../engine/planning/policy-object.ts";

let directory: string;
let store: StateStore;
const asked = (request: { readonly type: string; readonly [name: string]: unknown }): PlainRequest => request;
const parts = () => ({ store, tasks: new Map(coreTasks.map((type) => [type.type, type])) });

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "hostwright-policy-"));
  store = await openSqliteStore({ directory });
  const claims = ["example.com", "www.example.com"];
  await store.records.put({ kind: "site", id: "s1", name: "example.com", value: {} }, { expect: 0, claims });
  await store.records.put({ kind: "server", id: "v1", name: "web1", value: {} }, { expect: 0, claims: [] });
});

afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

test.each(["s1", "example.com", "@example.com", "EXAMPLE.com.", "www.example.com"])(
  "a rule on a domain is not passed by writing %s",
  async (site) => {
    const expected = { kind: "site", name: "example.com" };
    expect(await objectOf(parts(), { type: "site:delete", site })).toEqual(expected);
    expect(await objectOf(parts(), { type: "alias:verify", alias: site })).toEqual(expected);
  },
);

test("an alias of a server is that server; what is new is known by its own name", async () => {
  expect(await objectOf(parts(), { type: "alias:verify", alias: "@web1" })).toEqual({
    kind: "server",
    name: "web1",
  });
  expect(await objectOf(parts(), { type: "site:install", domain: "New.example", platform: "p" })).toEqual({
    kind: "site",
    name: "new.example",
  });
});

test.each([
  ["victim.example", "victim.example"],
  ["VICTIM.example.", "victim.example"],
  ["ｖictim.example", "victim.example"],
  ["victim。example", "victim.example"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["BÜCHER.example", "xn--bcher-kva.example"],
  ["www。example.com", "example.com"],
])("a rule is asked about %s as the record has it: %s", async (given, name) => {
  const install = { type: "site:install", platform: "p" };
  const object = { kind: "site", name };
  expect(await objectsOf(parts(), asked({ ...install, domain: given, aliases: [] }))).toEqual([object]);
  // An alias is a domain like any other.
  const own = { kind: "site", name: "own.test" };
  expect(await objectsOf(parts(), asked({ ...install, domain: "own.test", aliases: [given] }))).toEqual([own, object]);
  const request = { ...install, domain: "own.test", aliases: [given] };
  expect(await rightsTo(parts(), asked({ type: "plan:make", request }))).toEqual([request]);
});

test.each(["victim", "vic tim.example", "10.0.0.1", "xn--a.example"])("%s is no domain, and refused", (wrong) => {
  for (const names of [
    { domain: wrong, aliases: [] },
    { domain: "own.test", aliases: [wrong] },
  ])
    expect(() => parseRequest(parts(), asked({ type: "site:install", platform: "p", ...names }))).toThrow(
      expect.objectContaining({ code: "HW_DOMAIN_INVALID" }),
    );
});

test("of a request that no loaded type takes, its names or its type are known; of a task that is gone, nothing", async () => {
  const known = asked({ type: "cert:renew", site: "www.example.com" });
  expect(await objectOf(parts(), known)).toEqual({ kind: "site", name: "example.com" });
  expect(await objectOf(parts(), asked({ type: "cert:renew", names: "a" }))).toEqual({
    kind: "task",
    name: "cert:renew",
  });
  for (const gone of [undefined, null, {}]) expect(await objectOf(parts(), gone)).toEqual({ kind: "task", name: "" });
});

test("only a preview stands for another request: no other task passes a rule by an input of that name", async () => {
  const request = { type: "site:login-link", site: "own.test" };
  expect(await objectsOf(parts(), asked({ type: "cert:renew", site: "example.com", request }))).toEqual([
    { kind: "site", name: "example.com" },
  ]);
});

test("an actor sees its own tasks and those about what it may read", async () => {
  const access = new Access(
    { id: "ann" },
    { allow: (_actor, verb, object) => verb === "task:read" && object.name === "a.example" },
  );
  const about = (name: string) => async () => ({ kind: "site" as const, name });
  expect(await access.seesTask("ann", about("b.example"))).toBe(true);
  expect(await access.seesTask("bob", about("a.example"))).toBe(true);
  expect(await access.seesTask("bob", about("b.example"))).toBe(false);
});
