import {
  configure,
  createHostwright,
  deleteSite,
  disable,
  enable,
  install,
  loginLink,
  secret,
  verify,
  type Hostwright,
} from "@hostwright/core";
import { staticSite } from "@hostwright/platform-static";
import { apache } from "@hostwright/service-apache";
import { nginx } from "@hostwright/service-nginx";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHosts, type TestHosts } from "../hosts/hosts.ts";
import { connect } from "../support/fleet.ts";
import { settledListing } from "../support/listing.ts";
import { page } from "../support/page.ts";
import { isTried } from "./cells.ts";

const DOMAIN = "files.example.com";
const ALIAS = "www.files.example.com";

const FILES = {
  "index.html": "<title>Front</title>",
  "docs/index.html": "<title>Docs</title>",
  "docs/a.txt": "a text",
  "empty/a.css": "a{}",
  "ein Ordner/index.html": "<title>Ordner</title>",
  "old.php": "<?php secret();",
  "dump.sql": "secret",
  ".git/config": "secret",
  ".well-known/security.txt": "Contact: mailto:a@example.com",
} as const;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostwright-static-"));
  for (const [path, content] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, "source", path)), { recursive: true });
    await writeFile(join(folder, "source", path), content);
  }
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

const SERVERS = [
  ["nginx", nginx],
  ["apache", apache],
] as const;

describe.each(SERVERS.filter(([name]) => isTried(`${name} + static`)))("%s + static", (name, server) => {
  let hosts: TestHosts;
  let hw: Hostwright;
  let before: string;

  beforeAll(async () => {
    hosts = await startHosts([{ name: "web1" }]);
    hw = await createHostwright({ stateDir: join(folder, name), plugins: [server, staticSite] });
    await hw.servers.put({ name: "web1", connect: connect(hosts.host("web1")), services: [server.service()] });
    const source = { path: join(folder, "source") };
    await hw.platforms.put({ name: "files", server: "web1", type: staticSite.platform(), source });
    await hw.run(verify("web1"));
    await hw.run(verify("@files"));
    before = await settledListing(hosts.host("web1"));
  });

  afterAll(async () => {
    await hw?.[Symbol.asyncDispose]();
    await hosts?.stop();
  });

  const get = async (path: string, domain: string = DOMAIN): ReturnType<typeof page> =>
    page(hosts.host("web1"), domain, path);

  test("is installed on a server without PHP and database, in a plan without an installer", async () => {
    const plan = await hw.plan(install(DOMAIN, { platform: "files", aliases: [ALIAS] }));
    expect(plan.actions.filter(({ title }) => /PHP|database|installer|login/.test(title))).toEqual([]);
    const value = await hw.run(plan);
    expect(value).toMatchObject({ domain: DOMAIN, url: `http://${DOMAIN}/`, platform: "files" });
    expect("loginLink" in value).toBe(false);
    expect((await hw.sites.get(DOMAIN)).bindings).toEqual({ http: { service: "http" } });
    for (const subject of [DOMAIN, "web1", "files"]) expect((await hw.plan(verify(subject))).actions).toEqual([]);
  });

  test.each([
    ["/", 200, "<title>Front</title>"],
    ["/index.html", 200, "<title>Front</title>"],
    ["/docs/", 200, "<title>Docs</title>"],
    ["/docs/?x=1", 200, "<title>Docs</title>"],
    ["/docs/a.txt", 200, "a text"],
    ["/ein%20Ordner/", 200, "<title>Ordner</title>"],
    ["/empty/a.css", 200, "a{}"],
    ["/.well-known/security.txt", 200, "Contact: mailto:a@example.com"],
  ])("%s answers %i", async (path, status, body) => {
    expect(await get(path)).toMatchObject({ status, body });
  });

  test.each([
    "/none",
    "/none/",
    "/empty/",
    "/docs/a.txt/",
    "/old.php",
    "/old.php/x",
    "/dump.sql",
    "/.git/config",
    "/.git",
    "/docs/..%2f.git/config",
    "/index.html/x",
    "/docs%0a/",
  ])("%s is no page", async (path) => {
    const { status, body } = await get(path);
    expect([status, body.includes("secret")]).toEqual([404, false]);
  });

  test.each([
    ["/docs", "/docs/"],
    ["/docs?x=1", "/docs/?x=1"],
    ["/ein%20Ordner", "/ein%20Ordner/"],
    ["//docs", "/docs/"],
  ])("the folder %s leads to %s", async (path, to) => {
    const { status, location } = await get(path);
    expect([status, new URL(location, `http://${DOMAIN}`).href]).toEqual([301, `http://${DOMAIN}${to}`]);
  });

  test("an alias leads to the main name", async () => {
    expect(await get("/docs/", ALIAS)).toMatchObject({ status: 301, location: `http://${DOMAIN}/docs/` });
  });

  test("a password is asked for before anybody learns which folders and files there are", async () => {
    await hw.sites.setPassword(DOMAIN, "anna", secret("a right password"));
    await hw.run(configure(DOMAIN, { webRules: { basicAuth: { realm: "Files", users: ["anna"] } } }));
    const statuses = async (login?: string): Promise<readonly number[]> => {
      const host = hosts.host("web1");
      const ask = (path: string): string =>
        `curl -s -o /dev/null -w '%{http_code} ' ${login === undefined ? "" : `-u ${login}`} -H 'Host: ${DOMAIN}' http://127.0.0.1${path}`;
      const said = await host.sh(["/", "/docs", "/none", "/docs/", "/empty/"].map(ask).join("; "));
      return said.trim().split(" ").map(Number);
    };
    expect(await statuses()).toEqual([401, 401, 401, 401, 401]);
    expect(await statuses("'anna:a right password'")).toEqual([200, 301, 404, 200, 404]);
    await hw.run(configure(DOMAIN, { webRules: { basicAuth: null } }));
    expect(await statuses()).toEqual([200, 301, 404, 200, 404]);
  });

  test("there is nobody to log in, and no database to have", async () => {
    await expect(hw.plan(loginLink(DOMAIN))).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
    await expect(
      hw.plan(install("other.example.com", { platform: "files", bindings: { db: "web1" } })),
    ).rejects.toMatchObject({
      code: "HW_INPUT_INVALID",
    });
    await expect(
      hw.plan(install("other.example.com", { platform: "files", bindings: { cache: "web1" } })),
    ).rejects.toMatchObject({ code: "HW_INPUT_INVALID" });
  });

  test("is disabled and enabled again", async () => {
    await hw.run(disable(DOMAIN));
    expect(await get("/")).toMatchObject({ status: 503 });
    await hw.run(enable(DOMAIN));
    expect(await get("/")).toMatchObject({ status: 200, title: "Front" });
    expect((await hw.plan(verify("web1"))).actions).toEqual([]);
  });

  test("is deleted without a rest", async () => {
    await hw.run(deleteSite(DOMAIN));
    expect(await settledListing(hosts.host("web1"))).toBe(before);
  });
});
