import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createHostwright,
  install,
  moveDatabase,
  verify,
  type Hostwright,
  type HostwrightError,
  type Listener,
  type SiteRecord,
} from "@hostwright/core";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CrashProcesses, distinctPoints } from "./crash/crash-process.ts";
import { sampleOf } from "./crash/sample.ts";
import { FULL } from "./faults/scope.ts";
import { startHosts, type TestHosts } from "./hosts/hosts.ts";
import { oneOf } from "./support/drawn.ts";
import { connect } from "./support/fleet.ts";
import { figure } from "./support/figures.ts";
import { movableDatabases } from "./support/movable-databases.ts";
import { page } from "./support/page.ts";

const DOMAIN = "moving.example.com";
const SEED = process.env["HOSTWRIGHT_CRASH_SEED"] ?? randomBytes(4).toString("hex");
/** The crash matrix has moves as well, of one database. */
const POINTS = FULL ? 4 : 1;
const COPY = /^copy the database/;

describe.each(oneOf(movableDatabases))("$title", (kind) => {
  let hosts: TestHosts;
  let hw: Hostwright;
  let stateDir: string;
  let site: SiteRecord;

  beforeAll(async () => {
    const services = [kind.unit];
    hosts = await startHosts([{ name: "web1" }, { name: "db1", services }, { name: "db2", services, ownDisk: "2G" }]);
    stateDir = await mkdtemp(join(tmpdir(), "hostwright-move-"));
    hw = await createHostwright({ stateDir, plugins: [nginx, phpFpm, ...kind.plugins] });
    const pages = [nginx.service(), phpFpm.service({ version: "8.4" })];
    await hw.servers.put({ name: "web1", connect: connect(hosts.host("web1")), services: pages });
    for (const name of ["db1", "db2"]) {
      const host = hosts.host(name);
      await hw.servers.put({ name, connect: connect(host), services: [kind.service(host.address)] });
    }
    const source = { path: await kind.codebase() };
    await hw.platforms.put({ name: "code", server: "web1", type: kind.platform, source });
    await hw.run(install(DOMAIN, { platform: "code", bindings: { db: "db1" } }));
    await hw.run(verify("db2"));
    site = await hw.sites.get(DOMAIN);
    await ask("db1", kind.fill);
  });

  afterAll(async () => {
    await hw?.[Symbol.asyncDispose]();
    await hosts?.stop();
    if (stateDir !== undefined) await rm(stateDir, { recursive: true, force: true });
  });

  const ask = async (name: string, statements: string): Promise<string> =>
    kind.ask(hosts.host(name), site.id, statements);

  const contents = async (name: string): Promise<readonly string[]> =>
    kind.contents(async (statements) => ask(name, statements));

  const standing = async (name: string): Promise<string> => (await hosts.host(name).sh(kind.standing)).trim();

  async function expectAsItWas(before: readonly string[]): Promise<void> {
    expect((await hw.sites.get(DOMAIN)).bindings["db"]?.server).toBe((await hw.servers.get("db1")).id);
    expect((await page(hosts.host("web1"), DOMAIN, "/")).status).toBe(200);
    expect(await contents("db1")).toEqual(before);
    expect(await standing("db2")).toBe("");
    for (const alias of [DOMAIN, "web1", "db1", "db2"]) expect((await hw.plan(verify(alias))).actions).toEqual([]);
  }

  /** What it is refused with, after which all is as it was. */
  async function refusal(move: () => Promise<unknown>): Promise<HostwrightError> {
    const before = await contents("db1");
    const error: unknown = await move().catch((thrown: unknown) => thrown);
    await expectAsItWas(before);
    return error as HostwrightError;
  }

  test("a server without room refuses it at planning, and before the site is closed if it filled up since", async () => {
    const [host, begun] = [hosts.host("db2"), [] as string[]];
    const plan = await hw.plan(moveDatabase(DOMAIN, "db2"));
    expect(plan.render()).toMatch(/only with \d+\.\d MB free at \/var\/lib/);
    await host.sh(`fallocate -l $(( $(stat -f -c '%a * %S' /var) - 60000000 )) /var/filler; sync`);
    const asked = await refusal(async () => hw.plan(moveDatabase(DOMAIN, "db2")));
    expect(asked).toMatchObject({ code: "HW_DISK_FULL", server: "db2" });
    expect(asked.message).toMatch(/"database and account of .*" needs .* at \/var\/lib.* Nothing was changed\.$/);
    const onEvent: Listener = ({ type, payload }) => void (type === "action:started" && begun.push(payload.title));
    const late = await refusal(async () => hw.run(plan, { onEvent }));
    expect(late).toMatchObject({ code: "HW_DISK_FULL", data: { state: "undone" } });
    expect(begun).toEqual([expect.stringMatching(/^database and account/)]);
    await host.sh("rm /var/filler");
  });

  test("a server that is older, or lacks what the database needs, refuses it at planning", async () => {
    const { strange, older } = kind;
    const host = hosts.host("db2");
    const plan = async (): Promise<unknown> => hw.plan(moveDatabase(DOMAIN, "db2"));
    await ask("db1", strange.make);
    const lacking = await refusal(plan);
    await ask("db1", strange.drop);
    expect(lacking).toMatchObject({ code: "HW_PREREQUISITE_MISSING", server: "db2" });
    expect(lacking.message).toBe(
      `db2: it lacks ${strange.called}, which the database of ${DOMAIN} uses. Nothing was changed.`,
    );
    const input = `#!/bin/sh\necho '${older.says}'\n`;
    await host.sh(`cat > /root/older; chmod +x /root/older; mount --bind /root/older ${older.program}`, { input });
    const refused = await refusal(plan);
    await host.sh(`umount ${older.program}`);
    expect(refused).toMatchObject({ code: "HW_PREREQUISITE_MISSING", server: "db2" });
    expect(refused.message).toContain(older.called);
    await expect(plan()).resolves.toMatchObject({ actions: expect.arrayContaining([expect.anything()]) });
  });

  test("an import that fails in the middle leaves the site as it was", async () => {
    const before = await contents("db1");
    const between = [hosts.host("db1"), hosts.host("db2"), site.id] as const;
    await kind.breakImport(...between);
    const error: unknown = await hw.run(moveDatabase(DOMAIN, "db2")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "HW_TRANSFER_FAILED",
      message: expect.stringMatching(/which takes it, ended with exit code \d+/),
      output: expect.stringMatching(kind.complaint),
      data: { state: "undone" },
    });
    // No row of the site's in what is told and kept.
    expect((error as HostwrightError).output).not.toMatch(/(\d+x){3}/);
    await kind.repairImport(...between);
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
    figure(`move of a database on ${kind.title}, ms`, Math.round(performance.now() - started));
    for (const [title, ms] of times) figure(`  ${title}, ms`, ms);
    expect(value).toMatchObject({ domain: DOMAIN, database: "db2" });
    expect(during).toEqual([503]);
    expect(await contents("db2")).toEqual(before);
    expect(await standing("db1")).toBe("");
    expect((await page(web, DOMAIN, "/")).status).toBe(200);
    expect((await page(web, DOMAIN, kind.page)).status).toBe(200);
    for (const alias of [DOMAIN, "web1", "db1", "db2"]) expect((await hw.plan(verify(alias))).actions).toEqual([]);
    expect((await hw.plan(moveDatabase(DOMAIN, "db2"))).actions).toEqual([]);
  });

  test("and back", async () => {
    const before = await contents("db2");
    await hw.run(moveDatabase(DOMAIN, "db1"));
    await expectAsItWas(before);
  });

  test(
    "wherever its worker dies, the site is wholly on the one or wholly on the other",
    { timeout: 900_000 },
    async () => {
      await ask("db1", kind.shrink);
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
          expect(await standing("db1")).toBe("");
          await hw.run(moveDatabase(DOMAIN, "db1"));
        }
        await expectAsItWas(before);
      }
      figure(
        `crashes of a move on ${kind.title}, at ${POINTS} of ${points.length} points`,
        `\n    ${ends.join("\n    ")}`,
      );
    },
  );
});
