import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  cgroupName,
  bridgeName,
  createRun,
  listHosts,
  listRuns,
  removeRun,
  runFolder,
} from "../../packages/testing/src/containers/runs.ts";
import { processesIn } from "../../packages/testing/src/containers/cgroups.ts";
import { startHosts, type TestHosts } from "./hosts.ts";
import { diffListing, normalisedListing } from "./listing.ts";
import { parseSources } from "../../packages/testing/src/containers/mirror.ts";
import { mountsBelow } from "../../packages/testing/src/containers/mounts.ts";
import { isAlive } from "../../packages/testing/src/containers/processes.ts";
import { delay, runResult } from "../../packages/testing/src/containers/run.ts";

async function tracesOf(id: string, hosts = 2): Promise<string[]> {
  const traces: string[] = [...mountsBelow(runFolder(id))];
  if (existsSync(runFolder(id))) traces.push(runFolder(id));
  if (existsSync(join("/sys/class/net", bridgeName(id)))) traces.push(bridgeName(id));
  for (let index = 0; index < hosts; index++)
    traces.push(...processesIn(cgroupName(id, index)).map(({ pid }) => `process ${pid}`));
  return traces;
}

test("the mirror is read from both formats of apt's sources", () => {
  const oneLine =
    "# deb http://old.example/debian trixie main\ndeb [arch=amd64 signed-by=/k.gpg] http://one.example/debian trixie main contrib # ours\n";
  expect(parseSources("sources.list", oneLine)).toEqual([
    { uri: "http://one.example/debian", suite: "trixie", components: ["main", "contrib"] },
  ]);
  const deb822 =
    "Types: deb deb-src\n# a note\nURIs: http://two.example/debian\nSuites: trixie\n trixie-updates\nComponents: main\n\nEnabled: no\nTypes: deb\nURIs: http://off.example\nSuites: trixie\nComponents: main\n";
  expect(parseSources("debian.sources", deb822)).toEqual([
    { uri: "http://two.example/debian", suite: "trixie", components: ["main"] },
    { uri: "http://two.example/debian", suite: "trixie-updates", components: ["main"] },
  ]);
});

describe.skipIf(process.env["HOSTWRIGHT_TEST_HOSTS"])("hosts on this machine", () => {
  test("two runs at once don't collide, and leave nothing", async () => {
    const [one, two] = await Promise.all([
      startHosts([{ name: "web" }, { name: "db" }]),
      startHosts([{ name: "web" }]),
    ]);
    const all = [...one.hosts, ...two.hosts];
    expect(new Set(all.map((host) => host.address)).size).toBe(3);
    expect(new Set(all.map((host) => host.hostKey)).size).toBe(3);
    expect(one.host("web").privateKey).not.toBe(two.host("web").privateKey);
    await one.host("web").sh("echo one > /srv/whose");
    expect((await two.host("web").exec(["cat", "/srv/whose"])).code).not.toBe(0);
    expect(readFileSync(join(one.host("web").root, "srv/whose"), "utf8")).toBe("one\n");
    expect(await one.host("web").sh("getent hosts db")).toContain(one.host("db").address);
    const processes = (await listHosts(one.id))
      .flatMap(({ init, keeper }) => [init, keeper])
      .filter((process) => process !== undefined);
    expect(processes).toHaveLength(4);
    await Promise.all([one.stop(), two.stop()]);
    expect(processes.filter(isAlive)).toEqual([]);
    expect([...(await tracesOf(one.id)), ...(await tracesOf(two.id))]).toEqual([]);
  });

  test("packages that were asked for are there, and do not run by themselves", async () => {
    await using hosts = await startHosts([
      { name: "with", packages: ["lighttpd"] },
      { name: "running", packages: ["lighttpd"], services: ["lighttpd"] },
      { name: "without" },
    ]);
    const state = async (name: string): Promise<string> =>
      (await hosts.host(name).exec(["systemctl", "is-active", "lighttpd"])).stdout.trim();
    expect([await state("with"), await state("running")]).toEqual(["inactive", "active"]);
    expect((await hosts.host("without").exec(["lighttpd", "-v"])).code).not.toBe(0);
    expect(await hosts.host("with").sh("find /var/lib/apt/lists -type f; cat /etc/resolv.conf")).toBe("");
  });

  test("a run whose owner was killed is removed by the next one", async () => {
    const script = `
      const { startHosts } = await import(${JSON.stringify(join(import.meta.dirname, "hosts.ts"))});
      const { id } = await startHosts([{ name: "orphan" }]);
      process.stdout.write(id + "\\n");
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const id = await new Promise<string>((resolve) =>
      owner.stdout.once("data", (data: Buffer) => resolve(data.toString().trim())),
    );
    const [orphan] = await listHosts(id);
    expect(orphan?.init !== undefined && isAlive(orphan.init)).toBe(true);
    const ended = new Promise((resolve) => owner.once("close", resolve));
    owner.kill("SIGKILL");
    await ended;
    expect(orphan?.init !== undefined && isAlive(orphan.init)).toBe(true);
    const next = await createRun("this process");
    expect(orphan?.init !== undefined && isAlive(orphan.init)).toBe(false);
    expect(await tracesOf(id)).toEqual([]);
    await removeRun(next.id);
  });

  test.each(["SIGTERM", "SIGINT", "exit"])("an owner that ends by %s takes its hosts along", async (how) => {
    const script = `
      const { startHosts } = await import(${JSON.stringify(join(import.meta.dirname, "hosts.ts"))});
      const { id } = await startHosts([{ name: "short" }]);
      process.stdout.write(id + "\\n", () => { if (${JSON.stringify(how)} === "exit") throw new Error("meant to happen"); });
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = new Promise((resolve) => owner.once("close", resolve));
    const id = await new Promise<string>((resolve) =>
      owner.stdout.once("data", (data: Buffer) => resolve(data.toString().trim())),
    );
    if (how !== "exit") owner.kill(how as NodeJS.Signals);
    await ended;
    for (const until = Date.now() + 10_000; Date.now() < until && existsSync(runFolder(id));) await delay(20);
    expect(await tracesOf(id)).toEqual([]);
    expect((await listRuns()).map((run) => run.id)).not.toContain(id);
  });
});

describe.skipIf(process.env["HOSTWRIGHT_TEST_HOSTS"])("one host", () => {
  let started: TestHosts;
  beforeAll(async () => {
    started = await startHosts([{ name: "web", services: ["mariadb", "nginx"], smallDisks: { "/srv/small": "4M" } }]);
  }, 60_000);
  afterAll(() => started.stop());

  test("runs what was asked for and nothing else", async () => {
    const states = await started
      .host("web")
      .exec(["systemctl", "is-active", "nginx", "mariadb", "postgresql", "apache2"]);
    expect(states.stdout.trim().split("\n")).toEqual(["active", "active", "inactive", "inactive"]);
    expect(await started.host("web").sh("systemctl --failed --no-legend --plain")).toBe("");
  });

  test("keeps its disk over a reboot and a power failure", async () => {
    const web = started.host("web");
    await web.sh("echo kept > /srv/kept");
    await web.reboot();
    expect(await web.sh("cat /srv/kept")).toBe("kept\n");
    await web.kill();
    expect(web.running).toBe(false);
    await expect(web.exec(["true"])).rejects.toThrow("start() it first");
    await web.start();
    expect(await web.sh("cat /srv/kept; mariadb -N -B -e 'select 1'")).toBe("kept\n1\n");
  });

  test("comes back when something inside reboots it", async () => {
    const web = started.host("web");
    const before = await web.sh("stat -c %Z /proc/1");
    await web.exec(["sh", "-c", "systemctl reboot; sleep 60"]);
    await web.waitUntilUp();
    expect(await web.sh("stat -c %Z /proc/1")).not.toBe(before);
  });

  test("has small disks that can be filled", async () => {
    const web = started.host("web");
    const full = await web.fillDisk("/srv/small");
    const refused = await web.exec(["cp", "/etc/passwd", "/srv/small/file"]);
    expect(refused.stderr).toContain("No space left on device");
    await full[Symbol.asyncDispose]();
    await web.sh("echo text > /srv/small/file");
    await expect(web.fillDisk("/srv")).rejects.toThrow("smallDisks");
  });

  test("its listing names what was left behind, and nothing by itself", async () => {
    const web = started.host("web");
    const before = await normalisedListing(web);
    await web.sh(
      "useradd -m someone && mkdir /srv/site && echo a > /srv/site/file && chmod 644 /srv/site/file && mariadb -e 'create database left_over; create user u@localhost' && rm /etc/systemd/system/multi-user.target.wants/nginx.service && systemctl -q mask --runtime redis-server && mkdir -p /run/systemd/system/multi-user.target.wants && ln -s /dev/null /run/systemd/system/multi-user.target.wants/x.service",
    );
    const changes = diffListing(before, await normalisedListing(web)).split("\n");
    expect(changes.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual(
      expect.arrayContaining([
        "+ passwd someone",
        "+ group someone",
        "+ file /srv/site/file",
        "+ mariadb-database left_over",
        "+ mariadb-account u@localhost",
        "- file /etc/systemd/system/multi-user.target.wants/nginx.service",
        "+ file /run/systemd/system/multi-user.target.wants/x.service",
        "+ file /run/systemd/system/redis-server.service",
      ]),
    );
    await web.sh(
      "userdel -r someone 2>/dev/null; rm -r /srv/site; mariadb -e 'drop database left_over; drop user u@localhost'; ln -s /lib/systemd/system/nginx.service /etc/systemd/system/multi-user.target.wants/",
    );
    await web.reboot();
    expect(diffListing(before, await normalisedListing(web))).toBe("");
  });

  test("lets in whoever has the run's key", async () => {
    const web = started.host("web");
    const key = join(runFolder(started.id), "key-of-test");
    await writeFile(key, web.privateKey, { mode: 0o600 });
    const options = [
      "-i",
      key,
      "-o",
      "StrictHostKeyChecking=accept-new",
      "-o",
      `UserKnownHostsFile=${key}.known`,
      "-o",
      "BatchMode=yes",
      "-v",
    ];
    const seen = await runResult("ssh", [...options, `${web.user}@${web.address}`, "hostname"]);
    expect(seen.stdout).toBe("web\n");
    expect(seen.stderr).toContain(web.hostKey);
  });
});
