import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  configure,
  createHostwright,
  deleteSite,
  disable,
  enable,
  install,
  loginLink,
  moveDatabase,
  prepare,
  switchHttp,
  takeOver,
  verify,
  type Hostwright,
  type TaskRequest,
} from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { apache } from "@hostwright/service-apache";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIRST, LivingServer } from "./support/living-server.ts";
import { page } from "./support/page.ts";

const SECOND = "second.example.com";
const OWN = "own.example.com";

let living: LivingServer;
let stateDir: string;
let second: Hostwright;

/** What a newcomer has after `rm -rf state`: the same records once more, in a store that knows nothing. */
async function openSecond(): Promise<Hostwright> {
  const hw = await createHostwright({ stateDir, plugins: [nginx, apache, phpFpm, mysql, wordpress] });
  await hw.servers.put({
    name: "web1",
    connect: living.connection(),
    services: [nginx.service(), phpFpm.service({ version: "8.4" }), mysql.service(), apache.service({}, "apache")],
  });
  await hw.platforms.put({
    name: "wordpress-2",
    server: "web1",
    type: wordpress.platform(),
    source: { path: living.codebases["6.8"] },
  });
  return hw;
}

beforeAll(async () => {
  living = await LivingServer.start();
  stateDir = await mkdtemp(join(tmpdir(), "hostwright-second-"));
  second = await openSecond();
});

afterAll(async () => {
  await second?.[Symbol.asyncDispose]();
  await living?.[Symbol.asyncDispose]();
  if (stateDir !== undefined) await rm(stateDir, { recursive: true, force: true });
});

const refusal = (whose: string): unknown =>
  expect.objectContaining({
    code: "HW_SERVER_CLAIMED",
    server: "web1",
    message: expect.stringContaining(whose),
    remedy: expect.stringContaining('takeOver("web1")'),
  });

describe("a second state folder on a server of the first", () => {
  test.each<readonly [what: string, request: TaskRequest]>([
    ["prepare", prepare("web1")],
    ["install", install(SECOND, { platform: "wordpress-2" })],
    ["verify of the server", verify("web1")],
    ["verify of the platform", verify("wordpress-2")],
    ["a switch of its web server", switchHttp("web1", "apache")],
    ["a switch to the one that serves", switchHttp("web1", "http")],
  ])("is refused by name: %s, planned and run", async (_what, request) => {
    const whose = `:${living.state.path}, since 20`;
    await expect(second.plan(request)).rejects.toThrow(refusal(whose));
    await expect(second.run(request)).rejects.toThrow(refusal(whose));
  });

  test("has changed nothing, and the first one goes on", async () => {
    await living.expectUnharmed();
  });
});

describe("taken over", () => {
  test("says in its plan from whom, and changes nothing but whose it is", async () => {
    const plan = await second.plan(takeOver("web1"));
    expect(plan.render()).toContain(`:${living.state.path}, which has it since 20`);
    expect((await second.run(plan))["former"]).toMatchObject({ home: expect.stringContaining(living.state.path) });
    const changed = (await living.differences()).split("\n").filter((line) => /^[+~-]/.test(line));
    expect(changed).toEqual(["~ file /var/lib/hostwright/fence/installation"]);
    expect((await page(living.host, FIRST, "/")).status).toBe(200);
    expect((await second.plan(takeOver("web1"))).empty).toBe(true);
  });

  test.each<readonly [what: string, request: () => TaskRequest]>([
    ["prepare", () => prepare("web1")],
    ["install", () => living.install("new.example.com")],
    ["verify of the server", () => verify("web1")],
    ["verify of a site", () => verify(FIRST)],
    ["disable", () => disable(FIRST)],
    ["enable", () => enable(FIRST)],
    ["configure", () => configure(FIRST, { webRules: { headers: [] } })],
    ["a login link", () => loginLink(FIRST)],
    ["delete", () => deleteSite(FIRST)],
    ["a move of its database", () => moveDatabase(FIRST, "web1")],
  ])("refuses the former one by name: %s", async (_what, request) => {
    await expect(living.hw.plan(request())).rejects.toThrow(refusal(`:${stateDir}, since 20`));
    expect((await page(living.host, FIRST, "/")).status).toBe(200);
  });

  test("takes new sites beside the former one's, with unix ids that are free there, and verify names what is not its own", async () => {
    await second.run(prepare("web1"));
    await second.run(install(OWN, { platform: "wordpress-2" }));
    expect((await page(living.host, OWN, "/")).status).toBe(200);
    expect((await page(living.host, FIRST, "/")).status).toBe(200);
    const [first, own] = [await living.hw.sites.get(FIRST), await second.sites.get(OWN)];
    expect(own.uid).not.toBe(first.uid);
    const plan = await second.plan(verify("web1"));
    expect(plan.empty).toBe(true);
    const { problems } = plan.value;
    const foreign = problems.filter(({ message }) => message.includes(first.id));
    expect(foreign).toEqual([
      expect.objectContaining({ server: "web1", tolerable: true, message: expect.stringContaining("unix-user") }),
    ]);
    expect(problems.some(({ message }) => message.includes(own.id))).toBe(false);
  });

  test("takes no site that is not its own offline: a switch of the web server is refused with its entries", async () => {
    const first = await living.hw.sites.get(FIRST);
    await expect(second.plan(switchHttp("web1", "apache"))).rejects.toMatchObject({
      code: "HW_RESOURCE_FOREIGN",
      message: expect.stringContaining(first.id) as string,
    });
    expect((await page(living.host, FIRST, "/")).status).toBe(200);
  });

  test("names that the former one's sites have are refused, and may be looked up", async () => {
    await expect(second.plan(install(FIRST, { platform: "wordpress-2" }))).rejects.toMatchObject({
      code: "HW_NAME_TAKEN",
      remedy: expect.stringContaining("state folder") as string,
    });
  });

  test("may be taken back, and then the first one's plans are empty again", async () => {
    await living.hw.run(takeOver("web1"));
    await expect(second.plan(verify("web1"))).rejects.toThrow(refusal(living.state.path));
    expect((await living.hw.plan(verify(FIRST))).empty).toBe(true);
  });
});
