import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "../../../../test/hosts/hosts.ts";
import { sshTo } from "../../../testing/src/containers/ssh-to.ts";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resourceHarness, typeOf } from "../../test/resource-harness.ts";
import { testTarget } from "../../test/test-target.ts";
import type { Declared, Target } from "../contracts/resource.ts";
import type { Script } from "../model/server.ts";
import type { SshServer } from "../servers/ssh-server.ts";
import { directory } from "./directory.ts";
import { file } from "./file.ts";
import { tree } from "./tree.ts";
import { digestTree } from "./tree-digest.ts";
import { unit, type UnitState } from "./unit.ts";

let hosts: TestHosts;
let host: TestHost;
let server: SshServer;
let target: Target;

beforeAll(async () => {
  hosts = await startHosts([{ name: "web", smallDisks: { "/small": "16M" } }]);
  host = hosts.host("web");
  server = sshTo(host);
  target = testTarget({ "site/a/password": "s3cret" }, server);
});
afterAll(async () => {
  await server?.close();
  await hosts?.stop();
});

const { changesFor, ensure, undo } = resourceHarness(() => target);
const roundTrips = (): number => server.stats.roundTrips;

describe("units", () => {
  const path = (name: string): string => `/etc/systemd/system/${name}`;
  const service = (name: string, note = ""): Declared =>
    file({
      path: path(name),
      content: `[Unit]\nDescription=${note}\n[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n`,
    });
  const pid = async (name: string): Promise<string> =>
    (await host.sh(`systemctl show -p MainPID --value ${name}`)).trim();

  test("are enabled and started; restarted when their file changed and only then; undo stops and disables them", async () => {
    await ensure(service("a.service"), service("b.service"));
    const units = [
      unit({ name: "a.service", enabled: true, active: true }),
      unit({ name: "b.service", enabled: false, active: true }),
    ];
    const changes = await ensure(...units);
    expect(await host.exec(["systemctl", "is-active", "a.service", "b.service"])).toMatchObject({ code: 0 });
    const old = [await pid("a.service"), await pid("b.service")];
    await ensure(service("a.service", "changed"));
    expect((await changesFor(units)).map((change) => change.key)).toEqual(["a.service"]);
    await ensure(...units);
    expect(await pid("a.service")).not.toBe(old[0]);
    expect(await pid("b.service")).toBe(old[1]);
    const dropIn = file({ path: `${path("b.service")}.d/x.conf`, content: "[Service]\nEnvironment=CONFIG=1\n" });
    await ensure(directory({ path: `${path("b.service")}.d` }));
    await ensure(dropIn);
    expect((await changesFor(units)).map((change) => change.key)).toEqual(["b.service"]);
    await ensure(...units);
    expect(await pid("b.service")).not.toBe(old[1]);
    await undo(units[0] as Declared, changes);
    expect(await host.sh("systemctl is-active a.service b.service; systemctl is-enabled a.service; true")).toBe(
      "inactive\ninactive\ndisabled\n",
    );
  });

  test("a service that its socket starts may run or not; a stale socket is opened anew though its service runs", async () => {
    const socket = (note: string): Declared =>
      file({
        path: path("echo.socket"),
        content: `[Unit]\nDescription=${note}\n[Socket]\nListenStream=/run/echo.sock\n[Install]\nWantedBy=sockets.target\n`,
      });
    await ensure(socket(""), service("echo.service"));
    const units = [
      unit({ name: "echo.socket", enabled: true, active: true }),
      unit({ name: "echo.service", enabled: false }),
    ];
    await ensure(...units);
    await host.sh(
      "perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); connect(S,pack_sockaddr_un(q(/run/echo.sock))) or die; sleep 1'; systemctl is-active echo.service",
    );
    expect(await changesFor(units)).toEqual([]);
    await ensure(socket("changed"));
    await ensure(...units);
    expect(await host.sh("systemctl show -p Description --value echo.socket; systemctl is-active echo.socket")).toBe(
      "changed\nactive\n",
    );
  });

  test("a unit that does not start is named, and the others stand", async () => {
    await ensure(
      file({ path: path("bad.service"), content: "[Service]\nType=oneshot\nExecStart=/bin/false\n" }),
      service("good.service"),
    );
    const changes = await changesFor(
      ["bad.service", "good.service"].map((name) => unit({ name, enabled: false, active: true })),
    );
    await expect(typeOf(unit({ name: "a.service", enabled: true })).apply(target, changes)).rejects.toMatchObject({
      code: "HW_COMMAND_FAILED",
      data: { keys: ["bad.service"] },
    });
    expect((await host.exec(["systemctl", "is-active", "good.service"])).code).toBe(0);
  });

  test("every unit of a host is judged as systemctl judges it, drop-ins that came and went included", async () => {
    const judged = async (): Promise<Map<string, UnitState>> => {
      const list = await host.sh(
        `{ systemctl list-unit-files --no-legend --plain; systemctl list-units --all --no-legend --plain; } | awk '{ print $1 }' |
         grep -v '@\\.' | grep -E '^[A-Za-z0-9].*\\.(service|socket|timer|path|target|slice|mount)$' | sort -u`,
      );
      const names = list.trim().split("\n");
      const show = await host.sh(
        `systemctl show -p LoadState,UnitFileState,ActiveState,NeedDaemonReload ${names.map((name) => `'${name}'`).join(" ")}`,
      );
      const own = await typeOf(unit({ name: "a.service", enabled: true })).read(target, names, { contents: false });
      const found = own as Map<string, UnitState>;
      show
        .trim()
        .split("\n\n")
        .forEach((block, index) => {
          const said = Object.fromEntries(block.split("\n").map((line) => line.split("=") as [string, string]));
          const active = /^(active|reloading|refreshing)$/.test(said["ActiveState"] ?? "");
          const state = found.get(names[index] ?? "");
          const absent = said["LoadState"] === "not-found" && !active;
          const seen = state === undefined ? null : { enabled: state.enabled, active: state.active };
          const wanted = absent ? null : { enabled: said["UnitFileState"]?.startsWith("enabled") === true, active };
          expect({ name: names[index], ...seen }).toEqual({ name: names[index], ...wanted });
          if (said["NeedDaemonReload"] === "yes")
            expect({ name: names[index], ...state }).toMatchObject({ stale: true });
        });
      expect(names.length).toBeGreaterThan(100);
      return found;
    };
    const folder = "/etc/systemd/system/ssh.service.d";
    expect((await judged()).get("ssh.service")).toMatchObject({ active: true, stale: false });
    await host.sh(`mkdir ${folder} && echo '[Service]' > ${folder}/x.conf`);
    expect((await judged()).get("ssh.service")).toMatchObject({ stale: true });
    await host.sh("systemctl daemon-reload && systemctl restart ssh.service");
    expect((await judged()).get("ssh.service")).toMatchObject({ stale: false });
    await host.sh(`rm -r ${folder}`);
    expect((await judged()).get("ssh.service")).toMatchObject({ stale: true });
    await host.sh("systemctl daemon-reload");
    expect((await judged()).get("ssh.service")).toMatchObject({ stale: false });
  });

  test("what somebody stopped meanwhile is left alone", async () => {
    await ensure(service("c.service"));
    const wanted = unit({ name: "c.service", enabled: true, active: true });
    await ensure(wanted);
    const removal = [{ key: "c.service", before: { enabled: true, active: true, stale: false }, after: null }];
    await host.sh("systemctl stop c.service");
    await expect(typeOf(wanted).apply(target, removal)).rejects.toMatchObject({ code: "HW_RESOURCE_CHANGED" });
    expect(await host.sh("systemctl is-enabled c.service")).toBe("enabled\n");
  });

  test("are enabled and disabled without a change of the links of their init scripts, which are no part of their state", async () => {
    await host.sh(`printf '#!/bin/sh\\n### BEGIN INIT INFO\\n# Provides: old\\n# Required-Start:\\n# Required-Stop:\\n# Default-Start: 2 3 4 5\\n# Default-Stop: 0 1 6\\n### END INIT INFO\\n' > /etc/init.d/old
      chmod 755 /etc/init.d/old`);
    await ensure(service("old.service"));
    const links = async (): Promise<string> => host.sh("find /etc/rc?.d -name '*old' | sort");
    const wanted = unit({ name: "old.service", enabled: true, active: false });
    const changes = await ensure(wanted);
    expect(await host.sh("systemctl is-enabled old.service")).toBe("enabled\n");
    expect(await links()).toBe("");
    await undo(wanted, changes);
    expect(await host.sh("systemctl is-enabled old.service || true")).toBe("disabled\n");
    expect(await links()).toBe("");
  });

  test("what is still being started when its work was stopped is undone: nothing comes to run afterwards", async () => {
    const slow = file({
      path: path("slow.service"),
      content:
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'until [ -e /run/slow ]; do sleep 0.05; done'\n",
    });
    await ensure(slow);
    const wanted = unit({ name: "slow.service", enabled: false, active: true });
    const [change] = await changesFor([wanted]);
    const stop = new AbortController();
    const stopped = {
      ...target,
      signal: stop.signal,
      mutate: async (script: Script) => server.script({ ...script, signal: stop.signal }),
    };
    const applying = typeOf(wanted).apply(stopped, change === undefined ? [] : [change]);
    const state = async (): Promise<string> =>
      (await host.sh("systemctl show -p ActiveState --value slow.service")).trim();
    await expect.poll(state).toBe("activating");
    stop.abort();
    await expect(applying).rejects.toMatchObject({ code: "HW_CANCELLED" });
    expect(await state()).toBe("activating");
    await undo(wanted, change === undefined ? [] : [change]);
    await host.sh("touch /run/slow");
    // A oneshot that is stopped while it starts counts as failed.
    expect(await state()).toMatch(/^(inactive|failed)$/);
  });

  test("what fails and is started again and again is stopped by an undo, in whatever moment that meets it", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `flaps${index}.service`);
    const restart = (index: number): string => `Restart=always\nRestartSec=${10 + index * 7}ms\n`;
    const files = names.map((name, index) =>
      file({
        path: path(name),
        content: `[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/false\n${restart(index)}`,
      }),
    );
    await ensure(...files);
    await host.sh(`systemctl daemon-reload && systemctl start --no-block ${names.join(" ")}`);
    await host.sh("sleep 0.3");
    for (const name of names) {
      const [wanted, after] = [
        unit({ name, enabled: false, active: true }),
        { enabled: false, active: true, stale: false },
      ];
      await undo(wanted, [{ key: name, before: null, after }]);
    }
    await host.sh("sleep 0.3");
    const states = await host.sh(`systemctl show -p ActiveState --value ${names.join(" ")}`);
    expect(new Set(states.split("\n").filter((state) => state !== ""))).toEqual(new Set(["inactive"]));
  });

  test("what waits for its next start is not stopped, is stopped where it is to be, and started again by the undo", async () => {
    const content = "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=60\n";
    await ensure(file({ path: path("waits.service"), content }));
    await host.sh("systemctl daemon-reload && systemctl start --no-block waits.service");
    const state = async (): Promise<string> =>
      (await host.sh("systemctl show -p ActiveState --value waits.service")).trim();
    await expect.poll(state).toBe("activating");
    const wanted = unit({ name: "waits.service", enabled: false, active: false });
    const changes = await ensure(wanted);
    expect(changes).toMatchObject([{ before: { active: "restarting" }, after: { active: false } }]);
    expect(await state()).toBe("inactive");
    expect(await changesFor([wanted])).toEqual([]);
    await undo(wanted, changes);
    await expect.poll(state).toBe("activating");
    await host.sh("systemctl stop waits.service");
  });

  test("two hundred units are read in one round trip", async () => {
    const names = Array.from({ length: 200 }, (_, i) => `many${i}.service`);
    await ensure(...names.map((name) => service(name)));
    await host.sh("systemctl daemon-reload");
    const [from, trips] = [performance.now(), roundTrips()];
    const type = typeOf(unit({ name: "a.service", enabled: true }));
    expect((await type.read(target, names, { contents: false })).size).toBe(200);
    expect(roundTrips() - trips).toBe(1);
    console.log(`200 units read: ${Math.round(performance.now() - from)} ms`);
  });
});

describe("trees", () => {
  test("a release is published in one round trip, root-owned and checked; a full disk leaves nothing of it", async () => {
    const source = await mkdtemp(join(tmpdir(), "release-"));
    try {
      for (let i = 0; i < 2000; i++) {
        await mkdir(join(source, `d${i % 50}`), { recursive: true });
        await writeFile(join(source, `d${i % 50}`, `f${i}.php`), `<?php // ${i}\n`.repeat(500));
      }
      const digest = await digestTree(source);
      const wanted = tree({
        path: "/srv/platforms/one",
        source,
        at: "web",
        digest,
        mountPoints: [{ path: "web/sites/default", kind: "directory" }],
      });
      const [from, trips] = [performance.now(), roundTrips()];
      const changes = await changesFor([wanted]);
      await typeOf(wanted).apply(target, changes);
      expect(roundTrips() - trips).toBe(2);
      console.log(`2,000 files, 14 MB published: ${Math.round(performance.now() - from)} ms`);
      expect(await changesFor([wanted])).toEqual([]);
      expect(
        await host.sh(
          "find /srv/platforms ! -user root -o -perm /022; stat -c %a /srv/platforms/one; ls -A /srv/platforms",
        ),
      ).toBe("755\none\n");

      const tooBig = tree({ path: "/small/platforms/one", source, digest });
      const held = await host.fillDisk("/small");
      const refused = typeOf(tooBig).apply(target, await changesFor([tooBig]));
      await expect(refused).rejects.toMatchObject({ code: "HW_DISK_FULL" });
      expect(await host.sh("ls -A /small/platforms 2>/dev/null || true")).toBe("");
      await held[Symbol.asyncDispose]();

      await typeOf(wanted).apply(target, [{ key: "/srv/platforms/one", before: { digest }, after: null }]);
      expect(await host.sh("ls -A /srv/platforms")).toBe("");
    } finally {
      await rm(source, { recursive: true, force: true });
    }
  });
});
