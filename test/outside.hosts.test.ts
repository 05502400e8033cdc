import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "./hosts/hosts.ts";
import { diffListing } from "./hosts/listing.ts";
import { DnsApi } from "./support/dns-api.ts";
import { settledListing } from "./support/listing.ts";
import { OutsideFolder } from "./support/outside-folder.ts";
import { outsideNames, type NamesOrder } from "./support/outside-names.ts";
import { outsideSessions, type SessionsOrder } from "./support/outside-sessions.ts";
import { page } from "./support/page.ts";

let folder: string;
let outside: OutsideFolder;
/** Packed, and not the workspace's. */
let core: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostwright-outside-"));
  core = pathToFileURL(join(folder, "user/node_modules/@hostwright/core/dist/bundle/index.js")).href;
  outside = await OutsideFolder.make(join(folder, "user"), [outsideSessions, outsideNames]);
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

describe("from packed packages, on a host", () => {
  let hosts: TestHosts;
  let host: TestHost;

  beforeAll(async () => {
    hosts = await startHosts([{ name: "web1", packages: ["memcached"] }]);
    host = hosts.host("web1");
    const { code, stderr, told } = await outside.run(outsideSessions, order({ work: "prepare" }));
    expect({ code, stderr, told }).toEqual({ code: 0, stderr: "", told: { core } });
  });

  afterAll(async () => hosts?.stop());

  function order(change: Partial<SessionsOrder>): SessionsOrder {
    const { address, port, user, hostKey, privateKey } = host;
    return {
      work: "prepare",
      stateDir: join(folder, "state"),
      host: { address, port, user, hostKey, privateKey },
      source: resolve(import.meta.dirname, "../examples/guestbook"),
      domain: "",
      task: "",
      dieAt: null,
      notice: null,
      fails: false,
      ...change,
    };
  }

  /** Without the fences of tasks, which stay: what a killed worker has sent may still arrive. */
  async function listing(): Promise<string> {
    return (await settledListing(host))
      .split("\n")
      .filter((line) => !line.includes("/var/lib/hostwright/fence"))
      .join("\n");
  }

  test("a site is taken down by a package's own kind of task, a notice is put up, and what fails is taken back", async () => {
    const domain = "suspended.example.com";
    const worked = async (change: Partial<SessionsOrder>): Promise<object> => {
      const { code, stderr, told } = await outside.run(outsideSessions, order({ domain, ...change }));
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return told;
    };
    const notice = "https://host.example/suspended/";
    const planned = [`pages of ${domain}`, `publish ${domain}`, `look at the page of ${domain}`];
    expect(await worked({ work: "install" })).toMatchObject({ ended: { state: "succeeded" } });

    const undone = { code: "HW_PROBE_FAILED", state: "undone", residue: [], differs: 0, check: [] };
    const failed = await worked({ work: "suspend", notice, fails: true });
    expect(failed).toMatchObject({ ...undone, planned: [...planned, "look in vain"] });
    expect(await page(host, domain, "/")).toMatchObject({ status: 200, title: expect.stringMatching(/./) as string });

    const done = { status: 302, again: 0, check: [] };
    expect(await worked({ work: "suspend", notice })).toMatchObject({ ...done, planned });
    expect(await page(host, domain, "/any/page")).toMatchObject({ status: 302, location: `${notice}any/page` });

    const closed = await worked({ work: "suspend" });
    expect(closed).toMatchObject({ status: 503, again: 0, check: [] });
    expect((closed as { readonly planned: readonly string[] }).planned).toContainEqual(
      expect.stringMatching(/^user, folders, settings and PHP/),
    );
    expect((await page(host, domain, "/")).status).toBe(503);
    expect(await host.sh("systemctl list-units --no-legend --state=active 'example-php-*.socket'")).toBe("");
  });

  test.each<readonly [NonNullable<SessionsOrder["dieAt"]>, string]>([
    ["in the middle of", "middle.example.com"],
    ["right after", "after.example.com"],
  ])(
    "a process that is killed %s its own kind's step leaves a site that the next one makes whole or takes away",
    async (dieAt, domain) => {
      const before = await listing();
      const killed = await outside.run(outsideSessions, order({ work: "install", domain, dieAt }));
      expect(killed).toMatchObject({ signal: "SIGKILL", stderr: "", told: { task: expect.any(String) as unknown } });
      const { task } = killed.told as { readonly task: string };
      // It had begun: one of its names is there.
      expect(await host.sh("grep sessions.internal /etc/hosts")).toContain("127.0.0.1 s");

      const { code, stderr, told } = await outside.run(outsideSessions, order({ work: "recover", domain, task }));
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(told).toMatchObject({ residue: [], noted: "web1", actions: [], problems: [], check: [] });
      const { state, site } = told as { readonly state: string; readonly site: string | null };
      if (state === "succeeded") {
        expect((await page(host, domain, "/")).body).toMatch(/of these today: \d/);
        expect(await host.sh("cat /etc/hosts")).toContain(`127.0.0.1 ${site}.sessions.internal`);
      } else {
        expect([state, site, diffListing(before, await listing())]).toEqual(["undone", null, ""]);
      }
    },
  );
});

describe("from packed packages, at an API without a machine", () => {
  const NAMES = { "a.test": "192.0.2.1", "b.test": "192.0.2.2" };
  /** Somebody else's, which the task looks for in the end. */
  const OTHERS = { "other.test": "198.51.100.7" };
  let dns: DnsApi;
  let stateDir: string;

  beforeEach(async () => {
    dns = await DnsApi.start();
    onTestFinished(async () => dns[Symbol.asyncDispose]());
    dns.set("other.test", OTHERS["other.test"]);
    stateDir = await mkdtemp(join(folder, "state-"));
    expect(await worked("prepare")).toEqual({ core });
  });

  function order(work: NamesOrder["work"], change: Partial<NamesOrder> = {}): NamesOrder {
    const { url, token } = dns;
    return { work, stateDir, url, token, names: NAMES, lookFor: "other.test", task: "", ...change };
  }

  async function worked(work: NamesOrder["work"], change: Partial<NamesOrder> = {}): Promise<object> {
    const { code, stderr, told } = await outside.run(outsideNames, order(work, change));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return told;
  }

  test("a plan shows what its own kind of task would put there, and changes nothing", async () => {
    const { plan } = (await worked("plan")) as { readonly plan: string };
    for (const line of ["+ example-dns-record a.test", "+ example-dns-record b.test", "acme-look"])
      expect(plan).toContain(line);
    expect(dns.addresses).toEqual(OTHERS);
  });

  test("what was put there is taken back when a later step fails, and stays when none does", async () => {
    const failed = await worked("run", { lookFor: "missing.test" });
    expect(failed).toEqual({ code: "HW_PREREQUISITE_MISSING", state: "undone", residue: [], check: [] });
    expect(dns.asked).toContain("PUT records/b.test");
    expect(dns.addresses).toEqual(OTHERS);

    expect(await worked("run")).toEqual({ names: Object.keys(NAMES), actions: [], check: [] });
    expect(dns.addresses).toEqual({ ...OTHERS, ...NAMES });
  });

  test.each([
    ["in the middle of", "before", ["a.test"]],
    ["right after", "after", ["a.test", "b.test"]],
  ] as const)(
    "a process that is killed %s its writes leaves names that the next one makes whole or takes away",
    async (_moment, when, written) => {
      const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
      const never = new Promise<never>(() => undefined);
      dns.interrupt = async (asked, at) => {
        if (asked !== "PUT records/b.test" || at !== when) return null;
        reach();
        return never;
      };
      const killed = await outside.run(outsideNames, order("submit"), reached);
      expect(killed).toMatchObject({ signal: "SIGKILL", stderr: "", told: { task: expect.any(String) as unknown } });
      expect(Object.keys(dns.addresses)).toEqual(["other.test", ...written]);

      dns.interrupt = async () => Promise.resolve(null);
      const { task } = killed.told as { readonly task: string };
      const recovered = await worked("recover", { task });
      expect(recovered).toMatchObject({ residue: [], check: [] });
      const { state } = recovered as { readonly state: string };
      expect([state, dns.addresses]).toEqual(
        state === "succeeded" ? ["succeeded", { ...OTHERS, ...NAMES }] : ["undone", OTHERS],
      );
      expect(await worked("run")).toMatchObject({ actions: [], check: [] });
      expect(dns.addresses).toEqual({ ...OTHERS, ...NAMES });
    },
  );
});
