import {
  cluster,
  configure,
  deleteSite,
  disable,
  enable,
  loginLink,
  moveDatabase,
  switchHttp,
  verify,
  type SiteRecord,
} from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diffListing } from "./hosts/listing.ts";
import { settledListing } from "./support/listing.ts";
import { page } from "./support/page.ts";
import { FILES, HEADS, installFiles, installWiki, startTwoHeads, WIKI, type TwoHeads } from "./support/two-heads.ts";
import { client } from "./support/tested-mysql.ts";

let two: TwoHeads;
let wiki: SiteRecord;
let before: readonly string[];

const listings = async (): Promise<readonly string[]> =>
  Promise.all([...two.heads, two.database].map(async (host) => settledListing(host)));
const seen = async (domain: string, path = "/"): Promise<readonly (readonly [number, string])[]> =>
  (await two.ask(domain, path)).map(({ status, title }) => [status, title]);
/** From where the wiki's database may be reached. */
const opened = async (): Promise<readonly string[]> => {
  const sql = `select host from mysql.user where user = '${wiki.id}' order by 1`;
  return (await two.database.sh(`${client} -N`, { input: sql })).trim().split("\n");
};
const planned = async (request: Parameters<TwoHeads["hw"]["plan"]>[0]): Promise<readonly string[]> =>
  (await two.hw.plan(request)).actions.map(({ serverName, title }) => `${serverName}: ${title}`);

beforeAll(async () => {
  two = await startTwoHeads();
  // What comes with the first site, and stays.
  await two.hw.run(installWiki());
  await two.hw.run(deleteSite(WIKI));
  before = await listings();
});

afterAll(async () => two?.[Symbol.asyncDispose]());

const FRONT = /^Two heads$|Main Page/;
const twice = <T>(one: T): readonly T[] => [one, one];
const ANSWERS = twice([200, expect.stringMatching(FRONT)]);

describe("an application on two web heads with one database", () => {
  test("is installed once, and answers on each", async () => {
    const { hw } = two;
    const { loginLink: link } = await hw.run(installWiki());
    wiki = await hw.sites.get(WIKI);
    expect(await seen(WIKI)).toEqual(ANSWERS);
    expect(await planned(installWiki())).toEqual([]);
    // It was given by the first head, and is good on the other one: what makes it good lies in the database.
    const { pathname, search } = new URL(link?.reveal() ?? "");
    const [, second] = two.heads;
    if (second === undefined) throw new Error("no second head");
    const followed = await page(second, WIKI, `${pathname}${search}`);
    expect([followed.status, followed.cookies.length > 0]).toEqual([302, true]);
  });

  test("reaches its database from both, and from nowhere else", async () => {
    expect(await opened()).toEqual(two.heads.map(({ address }) => address).toSorted());
  });

  test("has one unix user of one number, and its own secrets on both", async () => {
    const of = async (command: string): Promise<readonly string[]> =>
      Promise.all(two.heads.map(async (head) => head.sh(command)));
    const users = await of(`id -u ${wiki.id}`);
    expect(users).toEqual(twice(`${wiki.uid}\n`));
    const [first, second] = await of(`cat /srv/sites/${wiki.id}/conf/*.php | grep -i secret`);
    expect(first).not.toBe("");
    expect(second).toBe(first);
  });

  test("is verified on each, and whole", async () => {
    for (const alias of ["web", "web1", "web2", "db1", "@wiki", WIKI])
      expect([alias, await planned(verify(alias))]).toEqual([alias, []]);
    const { pages, problems } = await two.hw.run(verify(WIKI));
    expect(pages.map(({ server, domain }) => `${server} ${domain}`)).toEqual(HEADS.map((name) => `${name} ${WIKI}`));
    expect(pages.map(({ status }) => status)).toEqual([200, 200]);
    expect(problems.filter(({ tolerable }) => tolerable !== true)).toEqual([]);
  });

  test("has a change in force on both when the task ends", async () => {
    const { hw } = two;
    await hw.run(configure(WIKI, { webRules: { redirects: [{ from: { exact: "/old" }, to: "/new", status: 302 }] } }));
    // Apache makes it absolute.
    expect((await two.ask(WIKI, "/old")).map(({ status, location }) => [status, location])).toEqual([
      [302, "/new"],
      [302, `http://${WIKI}/new`],
    ]);
    await hw.run(disable(WIKI));
    expect((await two.ask(WIKI, "/")).map(({ status }) => status)).toEqual([503, 503]);
    expect(await planned(disable(WIKI))).toEqual([]);
    await hw.run(enable(WIKI));
    expect((await two.ask(WIKI, "/old")).map(({ status }) => status)).toEqual([302, 302]);
    expect((await two.ask(WIKI, "/")).map(({ status }) => status)).toEqual([200, 200]);
    expect(new URL((await hw.run(loginLink(WIKI))).loginLink.reveal()).hostname).toBe(WIKI);
  });

  test("goes to a database on one of its heads: by the socket there, over the network from the other", async () => {
    const { hw, heads } = two;
    await hw.run(moveDatabase(WIKI, "web1:db"));
    expect((await two.ask(WIKI, "/")).map(({ status }) => status)).toEqual([200, 200]);
    const [first, second] = await Promise.all(
      heads.map(async (head) => head.sh(`grep -h wgDBserver /srv/sites/${wiki.id}/conf/*.php`)),
    );
    expect(first).toContain("localhost");
    expect(second).toContain(heads[0]?.address);
    expect(await planned(verify("web"))).toEqual([]);
    await hw.run(moveDatabase(WIKI, "db1:db"));
    expect((await two.ask(WIKI, "/")).map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe("a folder of files on two web heads", () => {
  test("is served by each, whichever web server each has", async () => {
    const { hw, heads } = two;
    await hw.run(installFiles());
    expect(await seen(FILES)).toEqual(twice([200, "Front"]));
    const servers = await Promise.all(heads.map(async (head) => (await page(head, FILES, "/")).headers.server));
    expect(servers.map((server) => String(server).replace(/\/.*/, ""))).toEqual(["nginx", "Apache"]);
    await hw.run(disable(FILES));
    expect((await seen(FILES)).map(([status]) => status)).toEqual([503, 503]);
    await hw.run(enable(FILES));
    expect(await seen(FILES)).toEqual(twice([200, "Front"]));
  });

  test("a switch of the cluster switches each head, and one of a head alone is refused", async () => {
    const { hw, heads } = two;
    await expect(hw.plan(switchHttp("web1", "other"))).rejects.toMatchObject({
      code: "HW_INPUT_INVALID",
      message: expect.stringContaining("is served by web, on web2 as well") as string,
    });
    await hw.run(switchHttp("web", "other"));
    const servers = await Promise.all(heads.map(async (head) => (await page(head, FILES, "/")).headers.server));
    expect(servers.map((server) => String(server).replace(/\/.*/, ""))).toEqual(["Apache", "nginx"]);
    expect((await two.ask(WIKI, "/")).map(({ status }) => status)).toEqual([200, 200]);
    expect(await planned(switchHttp("web", "other"))).toEqual([]);
    await hw.run(switchHttp("web", "http"));
    expect(await planned(verify("web"))).toEqual([]);
  });
});

describe("a cluster", () => {
  test("that loses a member leaves its files, takes it out of service, and has it again", async () => {
    const { hw, heads } = two;
    await hw.servers.put({ name: "web", connect: cluster("web1") });
    await expect(hw.servers.remove("web1")).rejects.toMatchObject({ code: "HW_RECORD_IN_USE" });
    await expect(hw.plan(disable(WIKI))).rejects.toMatchObject({ code: "HW_RECORD_IN_USE", server: "web2" });
    const { problems } = await hw.run(verify("web2"));
    const told = problems.map(({ message }) => message.replace(/\. What .*/, ""));
    for (const name of [WIKI, FILES, "wiki", "files"]) expect(told).toContain(`${name} no longer stands on web2`);
    expect((await two.ask(FILES, "/")).map(({ status }) => status)).toEqual([200, 404]);
    expect(await heads[1]?.sh(`ls -d /srv/sites/${wiki.id}`)).not.toBe("");
    expect(await planned(verify("web2"))).toEqual([]);
    await hw.run(verify(WIKI));
    expect(await opened()).toEqual([heads[0]?.address]);
    await hw.servers.put({ name: "web", connect: cluster(...HEADS) });
    await expect(hw.plan(disable(WIKI))).rejects.toMatchObject({ code: "HW_RECORD_IN_USE", server: "web2" });
    const again = await hw.run(verify("web"));
    expect(again.problems.filter(({ tolerable }) => tolerable !== true)).toEqual([]);
    expect(await opened()).toEqual(heads.map(({ address }) => address).toSorted());
    expect(await seen(FILES)).toEqual(twice([200, "Front"]));
    expect(await seen(WIKI)).toEqual(ANSWERS);
    expect(await planned(verify(WIKI))).toEqual([]);
  });

  test("whose plan was made for other members is planned again", async () => {
    const { hw } = two;
    const plan = await hw.plan(disable(FILES));
    await hw.servers.put({ name: "web", connect: cluster("web1") });
    await expect(hw.run(plan)).rejects.toMatchObject({ code: "HW_RESOURCE_CHANGED" });
    await hw.servers.put({ name: "web", connect: cluster(...HEADS) });
  });
});

test("two sites that are deleted leave nothing on any of the three hosts", async () => {
  for (const domain of [WIKI, FILES]) await two.hw.run(deleteSite(domain));
  const now = await listings();
  for (const [index, listing] of now.entries()) expect(diffListing(before[index] ?? "", listing)).toBe("");
});
