import { mkdtemp, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "./hosts/hosts.ts";
import { outsideBalancer, type BalancerOrder } from "./support/outside-balancer.ts";
import { OutsideFolder } from "./support/outside-folder.ts";

const ROOT = "/etc/hostwright/example-balancer";
/** What stands behind the balancer: three servers, each of which says its name. */
const BEHIND = { one: 8001, two: 8002, three: 8003 };
type Behind = keyof typeof BEHIND;

let folder: string;
let outside: OutsideFolder;
let hosts: TestHosts;
let host: TestHost;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostwright-outside-"));
  outside = await OutsideFolder.make(join(folder, "user"), [outsideBalancer]);
  hosts = await startHosts([{ name: "lb1", packages: ["haproxy"], services: ["nginx"] }]);
  host = hosts.host("lb1");
  const servers = Object.entries(BEHIND).map(([name, port]) => `server { listen ${port}; return 200 ${name}; }`);
  await host.sh("cat > /etc/nginx/conf.d/behind.conf; systemctl reload nginx", { input: servers.join("\n") });
  // Packed, and not the workspace's.
  const core = pathToFileURL(join(folder, "user/node_modules/@hostwright/core/dist/bundle/index.js")).href;
  expect(await worked({ work: "prepare" })).toEqual({ core, again: [] });
});

afterAll(async () => {
  await hosts?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Pools `a` and `b`, each with what is behind it. */
const pools = (a: Behind, b: Behind): BalancerOrder["pools"] => ({
  a: { port: 8101, servers: [`127.0.0.1:${BEHIND[a]}`] },
  b: { port: 8102, servers: [`127.0.0.1:${BEHIND[b]}`] },
});

function order(change: Partial<BalancerOrder>): BalancerOrder {
  const { address, port, user, hostKey, privateKey } = host;
  const given = { address, port, user, hostKey, privateKey };
  const common = { host: given, stateDir: join(folder, "state"), task: "" };
  return { ...common, work: "run", pools: {}, fails: false, dieAt: null, ...change };
}

async function worked(change: Partial<BalancerOrder>): Promise<object> {
  const { code, stderr, told } = await outside.run(outsideBalancer, order(change));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return told;
}

/** What is answered through the pools, over TCP from outside, each time by a new connection. */
async function answers(): Promise<readonly string[]> {
  return Promise.all(
    [8101, 8102].map(async (port) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const asked = { host: host.address, port, agent: false };
      get(asked, (response) => void text(response).then(resolve, () => resolve("cut off"))).on("error", () =>
        resolve("nobody"),
      );
      return promise;
    }),
  );
}

/** The number that the link names, and the one that the running haproxy says. */
async function generations(): Promise<readonly number[]> {
  const link = await host.sh(`basename "$(readlink ${ROOT}/current)"`);
  const ask = `perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new("/run/example-balancer/admin.sock"); print $s "show env EXAMPLE_GENERATION\\n"; print <$s>'`;
  return [Number(link), Number((await host.sh(ask)).replace("EXAMPLE_GENERATION=", ""))];
}

test("what its task ensures is in force as one generation with one reload, in which no request is lost", async () => {
  const done = { pools: ["a", "b"], again: [], check: [] };
  const actions = ["pools", "activate pools"];
  expect(await worked({ pools: pools("one", "two") })).toEqual({ ...done, actions });
  expect([await answers(), await generations()]).toEqual([
    ["one", "two"],
    [2, 2],
  ]);
  const main = await host.sh("systemctl show -p MainPID --value example-balancer");

  const visit = new AbortController();
  const seen = new Set<string>();
  const visitor = (async () => {
    while (!visit.signal.aborted) for (const answer of await answers()) seen.add(answer);
  })();
  expect(await worked({ pools: pools("two", "three") })).toEqual({ ...done, actions });
  visit.abort();
  await visitor;
  expect([...seen].toSorted()).toEqual(["one", "three", "two"]);
  expect([await answers(), await generations()]).toEqual([
    ["two", "three"],
    [3, 3],
  ]);
  expect(await host.sh("systemctl show -p MainPID --value example-balancer")).toBe(main);
});

test("an entry that it refuses is named, and leaves the former generation in force", async () => {
  await worked({ pools: pools("one", "two") });
  const before = await generations();
  const refused = { port: 8102, servers: ["nowhere.invalid:80"] };
  const told = await worked({ pools: { ...pools("one", "two"), b: refused } });
  expect(told).toMatchObject({ code: "HW_HTTP_CONFIG_REFUSED", state: "undone", residue: [], check: [] });
  expect((told as { readonly message: string }).message).toMatch(/b[.]cfg: .*nowhere[.]invalid/);
  expect([await answers(), await generations()]).toEqual([["one", "two"], before]);
  expect(await host.sh(`cat ${ROOT}/entries/b.cfg`)).toContain("127.0.0.1:8002");

  // With a good one beside it that is its task's as well.
  expect(await worked({ pools: { ...pools("three", "two"), b: refused } })).toMatchObject({
    state: "undone",
    check: [],
  });
  expect(await answers()).toEqual(["one", "two"]);
});

test("an undo puts in force what stood before", async () => {
  await worked({ pools: pools("one", "two") });
  const told = await worked({ pools: pools("two", "three"), fails: true });
  expect(told).toMatchObject({ code: "HW_PREREQUISITE_MISSING", state: "undone", residue: [], check: [] });
  expect(await answers()).toEqual(["one", "two"]);
  const [link, said] = await generations();
  expect(said).toBe(link);
  expect(await worked({ work: "plan", pools: pools("one", "two") })).toEqual({ actions: [] });
});

test.each([
  ["in the middle of", "action:started"],
  ["right after", "action:finished"],
] as const)("a process that is killed %s its activation is gone on with or taken back", async (_moment, dieAt) => {
  await worked({ pools: pools("one", "two") });
  const killed = await outside.run(outsideBalancer, order({ work: "submit", pools: pools("two", "three"), dieAt }));
  expect(killed).toMatchObject({ signal: "SIGKILL", stderr: "", told: { task: expect.any(String) as unknown } });
  const { task } = killed.told as { readonly task: string };
  const recovered = await worked({ work: "recover", task });
  expect(recovered).toMatchObject({ residue: [], check: [] });
  const isDone = (recovered as { readonly state: string }).state === "succeeded";
  expect(await answers()).toEqual(isDone ? ["two", "three"] : ["one", "two"]);
  const [link, said] = await generations();
  expect(said).toBe(link);
  expect(await worked({ pools: pools("two", "three") })).toMatchObject({ again: [], check: [] });
  expect(await answers()).toEqual(["two", "three"]);
});

test("a verify of the server takes out of force what nobody declares", async () => {
  await worked({ pools: pools("one", "two") });
  expect(await worked({ work: "verify" })).toEqual({ again: [], check: [] });
  expect(await answers()).toEqual(["nobody", "nobody"]);
});
