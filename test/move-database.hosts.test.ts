import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, install, moveDatabase, verify, type Hostwright, type SiteRecord } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CrashProcesses, distinctPoints } from "./crash/crash-process.ts";
import { sampleOf } from "./crash/sample.ts";
import { wordpressCodebases } from "./hosts/codebases.ts";
import { startHosts, type TestHost, type TestHosts } from "./hosts/hosts.ts";
import { connect } from "./support/estate.ts";
import { figure } from "./support/figures.ts";
import { page } from "./support/page.ts";

const DOMAIN = "moving.example.com";
const SEED = process.env["HOSTWRIGHT_CRASH_SEED"] ?? randomBytes(4).toString("hex");
const POINTS = 6;
const COPY = /^copy the database/;

let hosts: TestHosts;
let hw: Hostwright;
let stateDir: string;
let site: SiteRecord;

beforeAll(async () => {
  const codebases = await wordpressCodebases();
  hosts = await startHosts([
    { name: "web1" },
    { name: "db1", services: ["mariadb"] },
    { name: "db2", services: ["mariadb"] },
  ]);
  stateDir = await mkdtemp(join(tmpdir(), "hostwright-move-"));
  hw = await createHostwright({ stateDir, plugins: [nginx, phpFpm, mysql, wordpress] });
  const services = [nginx.service(), phpFpm.service({ version: "8.4" })];
  await hw.servers.put({ name: "web1", connect: connect(hosts.host("web1")), services });
  for (const name of ["db1", "db2"]) {
    const host = hosts.host(name);
    await hw.servers.put({ name, connect: connect(host), services: [mysql.service({ listen: [host.address] })] });
  }
  const source = { path: codebases["6.8"] };
  await hw.platforms.put({ name: "wordpress", server: "web1", type: wordpress.platform(), source });
  await hw.run(install(DOMAIN, { platform: "wordpress", database: "db1" }));
  await hw.run(verify("db2"));
  site = await hw.sites.get(DOMAIN);
  await sql(
    "db1",
    `create table odd (id int primary key, bytes longblob, words longtext) character set utf8mb4;
     insert into odd values (0, x'00ff0a0d5c27221a', 'a\\0b\\nc''d\\\\e \u{1F600} \u00fc; -- Dump completed');
     insert into odd select seq, random_bytes(1024), repeat(concat(seq, 'x'), 4000) from seq_1_to_2000;
     insert into odd values (9999, repeat(random_bytes(1000), 3000), null);
     create view odd_ones as select id from odd where id % 2;`,
  );
});

afterAll(async () => {
  await hw?.[Symbol.asyncDispose]();
  await hosts?.stop();
  if (stateDir !== undefined) await rm(stateDir, { recursive: true, force: true });
});

async function sql(name: string, input: string): Promise<string> {
  return (await hosts.host(name).sh(`mariadb -N -B --default-character-set=utf8mb4 ${site.id}`, { input })).trim();
}

/** Row by row, but for what an application notes of its visitors and its own clock. */
async function contents(name: string): Promise<readonly string[]> {
  const tables = (await sql(name, "show full tables where table_type = 'BASE TABLE'"))
    .split("\n")
    .map((line) => line.split("\t")[0] ?? "");
  const sums = await sql(
    name,
    `checksum table ${tables.filter((table) => table !== "wp_options").join(", ")} extended;
    select md5(group_concat(concat(option_name, option_value) order by option_name)) from wp_options where option_name not like '%transient%' and option_name not like '%cron%';
    select table_name, table_collation, engine from information_schema.tables where table_schema = database() order by 1;
    select count(*), max(length(bytes)) from odd; select count(*) from odd_ones`,
  );
  return sums.split("\n");
}

async function standing(host: TestHost): Promise<string> {
  return host.sh(
    `mariadb -N -B -e "show databases like 's%'; select user, host from mysql.user where user like 's_________'" | grep -v schema | grep -v ^sys || true`,
  );
}

async function expectAsItWas(before: readonly string[]): Promise<void> {
  expect((await hw.sites.get(DOMAIN)).database?.server).toBe((await hw.servers.get("db1")).id);
  expect((await page(hosts.host("web1"), DOMAIN, "/")).status).toBe(200);
  expect(await contents("db1")).toEqual(before);
  expect(await standing(hosts.host("db2"))).toBe("");
  for (const alias of [DOMAIN, "web1", "db1", "db2"]) expect((await hw.plan(verify(alias))).actions).toEqual([]);
}

test("an import that fails in the middle leaves the site as it was", async () => {
  const before = await contents("db1");
  const db2 = hosts.host("db2");
  await db2.sh(`mariadb -e "set global max_allowed_packet = 1048576"`);
  await expect(hw.run(moveDatabase(DOMAIN, "db2"))).rejects.toMatchObject({
    code: "HW_DATABASE_FAILED",
    message: expect.stringContaining("writing the new database failed"),
    output: expect.stringMatching(/max_allowed_packet|gone away|Lost connection/),
    data: { state: "undone" },
  });
  await db2.sh(`mariadb -e "set global max_allowed_packet = 67108864"`);
  await expectAsItWas(before);
});

test("cancelled while it is copied, the site is as it was", async () => {
  const before = await contents("db1");
  const stop = new AbortController();
  const moving = hw.run(moveDatabase(DOMAIN, "db2"), {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === "action:started" && COPY.test(event.payload.title)) setTimeout(() => stop.abort(), 300);
    },
  });
  await expect(moving).rejects.toMatchObject({ code: "HW_CANCELLED", data: { state: "undone" } });
  await expectAsItWas(before);
});

test("the database moves with every row, and the former one is dropped", async () => {
  const before = await contents("db1");
  const web = hosts.host("web1");
  const plan = await hw.plan(moveDatabase(DOMAIN, "db2"));
  expect(plan.render()).not.toMatch(/password=(?!<)/);
  const times = new Map<string, number>();
  const during: number[] = [];
  const started = performance.now();
  const value = await hw
    .run(plan, {
      onEvent: (event) => {
        if (event.type === "action:started" && COPY.test(event.payload.title))
          void page(web, DOMAIN, "/").then(({ status }) => during.push(status));
        if (event.type === "action:finished") times.set(event.payload.title, event.payload.ms);
      },
    })
    .catch((error: { readonly output?: string }) => {
      throw new Error(`it ended: ${error.output ?? ""}`, { cause: error });
    });
  figure("move of a database, ms", Math.round(performance.now() - started));
  for (const [title, ms] of times) figure(`  ${title}, ms`, ms);
  expect(value).toMatchObject({ domain: DOMAIN, database: "db2" });
  expect(during).toEqual([503]);
  expect(await contents("db2")).toEqual(before);
  expect(await standing(hosts.host("db1"))).toBe("");
  expect((await page(web, DOMAIN, "/")).status).toBe(200);
  expect((await page(web, DOMAIN, "/wp-login.php")).status).toBe(200);
  for (const alias of [DOMAIN, "web1", "db1", "db2"]) expect((await hw.plan(verify(alias))).actions).toEqual([]);
  expect((await hw.plan(moveDatabase(DOMAIN, "db2"))).actions).toEqual([]);
});

test("and back", async () => {
  const before = await contents("db2");
  await hw.run(moveDatabase(DOMAIN, "db1"));
  await expectAsItWas(before);
});

test("wherever its worker dies, the site is wholly on the one or wholly on the other", async () => {
  await sql("db1", "delete from odd where id between 1 and 2000");
  const before = await contents("db1");
  using processes = new CrashProcesses();
  const submit = async (): Promise<string> => (await hw.submit(moveDatabase(DOMAIN, "db2"))).id;
  const order = { stateDir, cancelled: false };
  const { passed } = await processes.work({ ...order, task: await submit(), at: null });
  await hw.run(moveDatabase(DOMAIN, "db1"));
  const points = distinctPoints(passed).filter(({ name }) => !name.includes("claim and plan"));
  process.stdout.write(`HOSTWRIGHT_CRASH_SEED=${SEED}\n`);
  const ends: string[] = [];
  for (const point of sampleOf(points, POINTS, SEED)) {
    const task = await submit();
    await processes.work({ ...order, task, at: point });
    const worker = hw.work();
    const { state, residue } = await hw.task(task).outcome();
    await worker[Symbol.asyncDispose]();
    ends.push(`${point.name}: ${state}`);
    expect([point.name, residue]).toEqual([point.name, []]);
    if (state === "succeeded") {
      expect(await contents("db2")).toEqual(before);
      expect(await standing(hosts.host("db1"))).toBe("");
      await hw.run(moveDatabase(DOMAIN, "db1"));
    }
    await expectAsItWas(before);
  }
  figure(`crashes of a move, at ${POINTS} of ${points.length} points`, `\n    ${ends.join("\n    ")}`);
});
