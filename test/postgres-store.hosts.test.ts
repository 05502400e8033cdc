import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { Client } from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openPostgresKernel } from "../examples/plugins/postgres-store.ts";
import { COUNTERS } from "../packages/core/src/store/tables/named.ts";
import { storeConformance, storeProcesses } from "../packages/core/test/store-conformance.ts";
import type { StoreHarness } from "../packages/core/test/store-conformance/harness.ts";
import { tablesConformance } from "../packages/core/test/store-conformance/tables.ts";
import { startHosts, type TestHosts } from "./hosts/hosts.ts";
import { soak } from "./soak/soak.ts";
import { figure } from "./support/figures.ts";
import { ownMachine } from "./support/own-machine.ts";
import { openPostgresState } from "./support/postgres-state.ts";
import { startWaiting } from "./support/worker-pack.ts";

const SEED = process.env["HOSTWRIGHT_TEST_SEED"] ?? randomBytes(4).toString("hex");
const STATE = pathToFileURL(join(import.meta.dirname, "support/postgres-state.ts")).href;

let hosts: TestHosts;
let server: string;
let databases = 0;
beforeAll(async () => {
  hosts = await startHosts([{ name: "pg", services: ["postgresql"] }]);
  const pg = hosts.host("pg");
  await pg.sh(`
    echo "listen_addresses = '*'" >> /etc/postgresql/17/main/conf.d/test-hosts.conf
    echo "max_connections = 200" >> /etc/postgresql/17/main/conf.d/test-hosts.conf
    echo "host all all all trust" >> /etc/postgresql/17/main/pg_hba.conf
    systemctl restart postgresql@17-main.service`);
  server = `postgres://postgres@${pg.address}:5432`;
});

afterAll(async () => {
  await hosts?.stop();
});

interface Database {
  readonly url: string;
  drop(): Promise<void>;
}

async function administer(statement: string): Promise<void> {
  const admin = new Client({ connectionString: `${server}/postgres` });
  await admin.connect();
  await admin.query(statement);
  await admin.end();
}

async function database(): Promise<Database> {
  const name = `state${++databases}`;
  await administer(`CREATE DATABASE ${name}`);
  return { url: `${server}/${name}`, drop: async () => administer(`DROP DATABASE ${name} WITH (FORCE)`) };
}

tablesConformance("PostgreSQL", async () => {
  const { url, drop } = await database();
  const [one, two] = [await openPostgresKernel(url), await openPostgresKernel(url)];
  const cleanup = async (): Promise<void> => {
    await Promise.all([one.close(), two.close()]);
    await drop();
  };
  return { tables: one.tables, other: two.tables, cleanup };
});

async function openPostgresHarness(): Promise<StoreHarness> {
  const { url, drop } = await database();
  const opened = [await openPostgresState({ url })];
  const reopen = async (): ReturnType<typeof openPostgresState> => {
    const store = await openPostgresState({ url });
    opened.push(store);
    return store;
  };
  const cleanup = async (): Promise<void> => {
    await Promise.all(opened.map(async (store) => store.close()));
    await drop();
  };
  const child = { module: STATE, function: "openPostgresState", options: { url } };
  return { store: opened[0] as (typeof opened)[0], reopen, cleanup, child };
}

storeConformance("PostgreSQL", openPostgresHarness);
storeProcesses("PostgreSQL", openPostgresHarness);

test("a writer that is stopped inside a transaction holds others for some seconds, and does its work anew when it wakes", async () => {
  const { url, drop } = await database();
  const kernel = await openPostgresKernel(url);
  onTestFinished(async () => {
    await kernel.close();
    await drop();
  });
  const child = startWaiting(join(import.meta.dirname, "support/stopped-writer.ts"));
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  child.stdin?.write(`${JSON.stringify({ url })}\n`);
  expect((await lines.next()).value).toBe("inside");
  child.kill("SIGSTOP");
  const began = performance.now();
  await kernel.tables.transact(async (rows) => {
    const [found] = await rows.get(COUNTERS, [{ name: "stopped" }]);
    await rows.put(COUNTERS, [{ name: "stopped", value: (found?.value ?? 0) + 1 }]);
  });
  figure("ms for which a stopped writer held another one", Math.round(performance.now() - began));
  child.kill("SIGCONT");
  expect((await lines.next()).value).toBe("tries 2");
  const [found] = await kernel.tables.read(async (rows) => rows.get(COUNTERS, [{ name: "stopped" }]));
  expect(found?.value).toBe(2);
  const exited = once(child, "exit");
  child.stdin?.end();
  expect(await exited).toEqual([0, null]);
});

test("a database that restarts keeps its writers waiting, and what each was told is what stands", async () => {
  const { url, drop } = await database();
  const kernel = await openPostgresKernel(url);
  onTestFinished(async () => {
    await kernel.close();
    await drop();
  });
  let told = 0;
  const count = async (): Promise<void> => {
    for (let n = 0; n < 300; n += 1) {
      await kernel.tables.transact(async (rows) => {
        const [found] = await rows.get(COUNTERS, [{ name: "n" }]);
        await rows.put(COUNTERS, [{ name: "n", value: (found?.value ?? 0) + 1 }]);
      });
      told += 1;
    }
  };
  const counting = Promise.all([count(), count(), count(), count()]);
  for (const how of ["fast", "immediate"]) {
    await expect.poll(() => told).toBeGreaterThan(how === "fast" ? 100 : 600);
    await hosts.host("pg").sh(`pg_ctlcluster 17 main restart -m ${how}`);
  }
  await counting;
  const [found] = await kernel.tables.read(async (rows) => rows.get(COUNTERS, [{ name: "n" }]));
  expect(found?.value).toBe(1_200);
});

test("a commit whose answer is lost is neither made twice nor told as failed", async () => {
  const { url, drop } = await database();
  let [commits, tries] = [0, 0];
  const proxy = createServer((client) => {
    const upstream = createConnection(5432, hosts.host("pg").address);
    let isLost = false;
    client.on("data", (data) => {
      isLost = data.includes("COMMIT") && ++commits === 2;
      upstream.write(data);
    });
    upstream.on("data", (data) => (isLost ? client.destroy() : client.write(data)));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one.on("error", () => undefined).on("close", () => other.destroy());
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  const through = new URL(url);
  through.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const kernel = await openPostgresKernel(through.href);
  onTestFinished(async () => {
    await kernel.close();
    proxy.close();
    await drop();
  });
  // The first commit made the tables.
  await kernel.tables.transact(async (rows) => {
    tries += 1;
    const [found] = await rows.get(COUNTERS, [{ name: "n" }]);
    await rows.put(COUNTERS, [{ name: "n", value: (found?.value ?? 0) + 1 }]);
  });
  const [found] = await kernel.tables.read(async (rows) => rows.get(COUNTERS, [{ name: "n" }]));
  expect({ tries, value: found?.value }).toEqual({ tries: 1, value: 1 });
  expect(commits).toBeGreaterThan(1);
});

test("an empty database beside a key is no new installation", async () => {
  const { url, drop } = await database();
  onTestFinished(drop);
  await expect(openPostgresKernel(url, ["key"])).rejects.toMatchObject({ code: "HW_STORE_INCOMPLETE" });
  const kernel = await openPostgresKernel(url);
  expect(await kernel.events.last()).toBe(0);
  await Promise.all([kernel.close(), kernel.close()]);
  await expect(kernel.events.last()).rejects.toMatchObject({ code: "HW_CLOSED" });
});

test("workers of two machines on one database, one killed after the other: none lost, none done twice, each site's in order", async () => {
  const { url, drop } = await database();
  const folder = mkdtempSync(join(tmpdir(), "hostwright-machines-"));
  onTestFinished(async () => {
    rmSync(folder, { recursive: true });
    await drop();
  });
  const say = (line: string): boolean => process.stdout.write(`${line}\n`);
  say(`two machines: HOSTWRIGHT_TEST_SEED=${SEED}`);
  const { lost, twice, outOfOrder, wrong, kills, seconds } = await soak(
    {
      seed: SEED,
      tasks: 200,
      workers: 4,
      sites: 20,
      backlog: 60,
      killEvery: { tasks: 80 },
      database: url,
      starters: [ownMachine(folder), ownMachine(folder)],
    },
    say,
  );
  figure("tasks by two machines on one database, in seconds", seconds);
  expect({ lost, twice, outOfOrder, wrong }).toEqual({ lost: [], twice: [], outOfOrder: [], wrong: [] });
  expect(kills).toBe(2);
});
