import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { LocalServer } from "../../servers/local-server.ts";
import { CLAIM_FILE, claimLine, homeOf, parseClaim } from "./claim.ts";
import type { Claim } from "../../contracts/facts.ts";
import { raiseFence, runFenced, type Fence } from "./fence.ts";
import { passClaim } from "./take-server.ts";

const server = new LocalServer("web1");
const target = { server, signal: new AbortController().signal };
afterAll(async () => server.close());

let folder: string;
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), "hostwright-claim-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  folder = join(parent, "state", "fence");
});

const fence = (installation: string, scope = "site/s1"): Fence => ({
  scope,
  installation,
  home: `${installation}-hub:/srv/a state`,
  epoch: 1,
  token: 1,
  latest: async () => ({ epoch: 1, token: 1000 }),
});
const change = async (by: Fence, script = 'touch "$1/changed"'): Promise<string> =>
  runFenced(server, by, { script, args: [folder] }, folder).then(
    ({ exitCode }) => String(exitCode),
    (error: unknown) => (error as { code: string }).code,
  );
const claimOf = (installation: string): Claim => ({ installation, since: "2026-01-02T03:04:05Z", home: "hub:/x y" });
const standing = (): string => readFileSync(join(folder, CLAIM_FILE), "utf8");

describe("a server belongs to the installation", () => {
  test("that changed it first, and says since when and where that one is", async () => {
    expect(await change(fence("i1"))).toBe("0");
    expect(parseClaim(standing())).toEqual({
      installation: "i1",
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
      home: "i1-hub:/srv/a state",
    });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test("and another one changes nothing there, whatever its scope, and is told whose it is", async () => {
    await change(fence("i1"), ":");
    const late = runFenced(server, fence("i2", "site/s2"), { script: 'touch "$1/changed"', args: [folder] }, folder);
    await expect(late).rejects.toMatchObject({
      code: "HW_SERVER_CLAIMED",
      message: expect.stringMatching(
        /^web1 belongs to another installation .*i1, at i1-hub:\/srv\/a state, since 20/,
      ) as string,
      remedy: expect.stringContaining('takeOver("web1")') as string,
    });
    expect(readdirSync(folder).filter((name) => /changed|s2|i2/.test(name))).toEqual([]);
  });

  test("of two that come first at once exactly one", async () => {
    const names = ["i1", "i2", "i3", "i4"];
    const outcomes = await Promise.all(names.map(async (name) => change(fence(name, `site/${name}`))));
    expect(outcomes.toSorted()).toEqual(["0", "HW_SERVER_CLAIMED", "HW_SERVER_CLAIMED", "HW_SERVER_CLAIMED"]);
    expect(parseClaim(standing())?.installation).toBe(names[outcomes.indexOf("0")]);
    expect(readdirSync(folder).filter((name) => name.startsWith(`${CLAIM_FILE}.`))).toEqual([`${CLAIM_FILE}.gate`]);
  });

  test("and no other raises its epoch there", async () => {
    await change(fence("i1"));
    const range = { from: 20_000, to: 20_999 };
    const raised = raiseFence(server, { installation: "i2", epoch: 2 }, range, folder);
    await expect(raised).rejects.toMatchObject({ code: "HW_SERVER_CLAIMED" });
    expect(existsSync(join(folder, "highest-i2"))).toBe(false);
  });
});

describe("a server passes", () => {
  test("to another installation, and the former one is refused from then on", async () => {
    await change(fence("i1"));
    await passClaim(target, claimOf("i1"), claimOf("i2"), folder);
    expect(standing()).toBe(`${claimLine(claimOf("i2"))}\n`);
    expect([await change(fence("i1")), await change(fence("i2"))]).toEqual(["HW_SERVER_CLAIMED", "0"]);
    await passClaim(target, claimOf("i1"), claimOf("i2"), folder);
    await expect(passClaim(target, claimOf("i1"), claimOf("i3"), folder)).rejects.toMatchObject({
      code: "HW_SERVER_CLAIMED",
    });
  });

  test("not while the former one changes it", async () => {
    const atWork = change(fence("i1"), 'touch "$1/began"; until [ -e "$1/go" ]; do sleep 0.02; done');
    await expect.poll(() => existsSync(join(folder, "began"))).toBe(true);
    const early = passClaim(target, claimOf("i1"), claimOf("i2"), folder, 0);
    await expect(early).rejects.toMatchObject({ code: "HW_RESOURCE_CHANGED" });
    await server.script({ script: 'touch "$1/go"', args: [folder] });
    expect(await atWork).toBe("0");
    await passClaim(target, claimOf("i1"), claimOf("i2"), folder);
    expect(await change(fence("i1"))).toBe("HW_SERVER_CLAIMED");
  });
});

test("what a server says of a claim is one bounded line, and no claim is none", () => {
  const claim = parseClaim(`i1 2026-01-02T03:04:05Z hub:\u001b[31m${"x".repeat(900)}\nsecond line`);
  expect(claim?.home).toMatch(/^hub:\?\[31mx+$/);
  expect(claim?.home.length).toBe(300);
  for (const text of ["", "i1", "i1 now", "\n"]) expect(parseClaim(text)).toBeNull();
  expect(homeOf("state")).toMatch(/^[^:\n]+:\/.*\/state$/);
});

test("a script that ends as the fence does, with words of its own, is no refusal", async () => {
  expect(await change(fence("i1"), "echo hello; exit 122")).toBe("122");
});
