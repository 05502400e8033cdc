import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { demoPlatform } from "../../demo/platforms.ts";
import { ensureBase } from "../../packages/testing/src/containers/base.ts";
import { mediawikiCodebase, wordpressCodebases } from "../hosts/codebases.ts";
import { startHosts } from "../../packages/testing/src/containers/hosts.ts";
import { removeRun } from "../../packages/testing/src/containers/runs.ts";

const ASKED = "the requirements come first";
const tools: string[] = [];

vi.mock("../../packages/testing/src/containers/requirements.ts", () => ({
  checkHostRequirements: () => ({ ok: true }),
  ensureRequirements: () => Promise.reject(new Error(ASKED)),
}));
vi.mock("../../packages/testing/src/containers/run.ts", async (original) => {
  const refuse = (command: string): never => {
    tools.push(command);
    throw new Error(`spawn ${command} ENOENT`);
  };
  return { ...(await original<object>()), run: refuse, runResult: refuse };
});

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fresh-machine-"));
  vi.stubEnv("HOSTWRIGHT_TEST_HOSTS", undefined);
  vi.stubEnv("HOSTWRIGHT_HOSTS_CACHE", join(folder, "cache"));
  vi.stubEnv("HOSTWRIGHT_HOSTS_STATE", join(folder, "state"));
  const dead = join(folder, "state/runs/dead");
  await mkdir(join(dead, "hosts"), { recursive: true });
  const owner = { pid: 1, start: "0", boot: "another" };
  await writeFile(join(dead, "run.json"), JSON.stringify({ id: "dead", owner, network: 1 }));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Each as the first thing on a machine where nothing was ever built. */
const FIRST: Readonly<Record<string, () => Promise<unknown>>> = {
  "a base": () => ensureBase(),
  "the base of MySQL": () => ensureBase("mysql"),
  "the codebases of WordPress": () => wordpressCodebases(),
  "the codebase of MediaWiki": () => mediawikiCodebase(),
  "the demo's WordPress": () => demoPlatform("wordpress"),
  "the demo's MediaWiki": () => demoPlatform("mediawiki"),
  "test hosts": () => startHosts([{ name: "web" }]),
  "the removal of a dead run": () => removeRun("dead"),
};

test.each(Object.entries(FIRST))("%s asks for the requirements before it runs any tool", async (_what, first) => {
  tools.length = 0;
  await expect(first()).rejects.toThrow(ASKED);
  expect(tools).toEqual([]);
});
