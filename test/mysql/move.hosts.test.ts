import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, install, moveDatabase, verify, type Hostwright } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wordpressCodebases } from "../hosts/codebases.ts";
import { startHosts, type TestHosts } from "../hosts/hosts.ts";
import { connect } from "../support/fleet.ts";
import { page } from "../support/page.ts";

const DOMAIN = "moving.example.com";
const OWN = ["mysql", "mysqldump", "mysql_config_editor"];

let hosts: TestHosts;
let hw: Hostwright;
let stateDir: string;
let id = "";

beforeAll(async () => {
  const own = { base: "mysql", services: ["mysql"] } as const;
  hosts = await startHosts([
    { name: "web1" },
    { name: "db1", ...own },
    { name: "db2", ...own },
    { name: "db3", services: ["mariadb"] },
  ]);
  stateDir = await mkdtemp(join(tmpdir(), "hostwright-move-"));
  hw = await createHostwright({ stateDir, plugins: [nginx, phpFpm, mysql, wordpress] });
  const pages = [nginx.service(), phpFpm.service({ version: "8.4" })];
  await hw.servers.put({ name: "web1", connect: connect(hosts.host("web1")), services: pages });
  for (const name of ["db1", "db2", "db3"]) {
    const host = hosts.host(name);
    const flavour = name === "db3" ? "mariadb" : "mysql";
    const services = [mysql.service({ flavour, listen: [host.address] })];
    await hw.servers.put({ name, connect: connect(host), services });
  }
  const source = { path: (await wordpressCodebases())["6.8"] };
  await hw.platforms.put({ name: "code", server: "web1", type: wordpress.platform(), source });
  await hw.run(install(DOMAIN, { platform: "code", bindings: { db: "db1" } }));
  ({ id } = await hw.sites.get(DOMAIN));
});

afterAll(async () => {
  await hw?.[Symbol.asyncDispose]();
  await hosts?.stop();
  if (stateDir !== undefined) await rm(stateDir, { recursive: true, force: true });
});

const rows = async (name: string): Promise<string> => {
  const counts = "SELECT CONCAT('SELECT ''', TABLE_NAME, ''', COUNT(*) FROM ', TABLE_NAME, ';')";
  const input = `${counts} FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1`;
  const host = hosts.host(name);
  return host.sh(`mysql -N ${id}`, { input: await host.sh(`mysql -N ${id}`, { input }) });
};

/** Debian 13 has no package of them. */
async function bringPrograms(): Promise<void> {
  const pack = `set -e; mkdir /tmp/own; cd /usr/bin; cp ${OWN.join(" ")} /tmp/own
    ldd ${OWN.join(" ")} | grep -o '/lib[^ ]*' | sort -u | xargs cp -L -t /tmp/own; tar -C /tmp/own -cf - . | base64`;
  const unpack = `set -e; mkdir /opt/own; base64 -d | tar -C /opt/own -xf -
    for program in ${OWN.join(" ")}; do
      rm -f /usr/bin/$program
      printf '#!/bin/sh\\nexec /opt/own/ld-linux-*.so.? --library-path /opt/own /opt/own/%s "$@"\\n' $program > /usr/bin/$program
      chmod 755 /usr/bin/$program
    done`;
  await hosts.host("web1").sh(unpack, { input: await hosts.host("db1").sh(pack) });
}

test("a server of the other flavour refuses a site's database when the move is planned", async () => {
  await expect(hw.plan(moveDatabase(DOMAIN, "db3"))).rejects.toMatchObject({
    code: "HW_PREREQUISITE_MISSING",
    server: "db3",
    remedy: "Choose a server with MySQL.",
  });
});

test("so does a web head that has MariaDB's programs under MySQL's names", async () => {
  expect(await hosts.host("web1").sh("mysql --version")).toContain("MariaDB");
  await expect(hw.plan(moveDatabase(DOMAIN, "db2"))).rejects.toMatchObject({
    code: "HW_PREREQUISITE_MISSING",
    server: "web1",
    remedy: "Install mysql-client on web1.",
  });
});

test("with MySQL's own the database moves whole, and nothing is left where it was", async () => {
  await bringPrograms();
  const was = await rows("db1");
  expect(was).toContain("wp_options");
  await hw.run(moveDatabase(DOMAIN, "db2"));
  expect(await rows("db2")).toBe(was);
  expect((await page(hosts.host("web1"), DOMAIN, "/")).status).toBe(200);
  const left = `SELECT 'a database' FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '${id}'
    UNION SELECT 'an account' FROM mysql.user WHERE User = '${id}'`;
  expect(await hosts.host("db1").sh("mysql -N", { input: left })).toBe("");
  for (const alias of [DOMAIN, "@web1", "@db1", "@db2"]) expect((await hw.plan(verify(alias))).actions).toEqual([]);
});
