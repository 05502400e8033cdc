import { NO_RULES } from "@hostwright/testing";
import { wordpress } from "@hostwright/platform-wordpress";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "../hosts/hosts.ts";
import { serve } from "./front.ts";
import { applyDeclared, placeSite, type PlacedSite, type Plugins } from "./site.ts";
import { plugins } from "./plugins.ts";

/** An application that is one script: it evaluates what it is sent, as a hostile owner's code would. */
const { platform } = plugins(wordpress);
const probe: Plugins["platform"] = {
  ...platform,
  layout: { docroot: "web", sourceAt: "web", mountPoints: [] },
  application: {
    ...platform.application,
    driver: { name: "probe.php", source: "<?php echo json_encode(['ok' => true]), \"\\n\";" },
  },
  ownFolders: () => [],
  binds: () => [],
  settings: () => [{ path: "settings.php", content: "<?php // secret of this site" }],
  webRules: () => NO_RULES,
};
const used = { ...plugins(wordpress, { maxIdleMinutes: 1 }), platform: probe };

let hosts: TestHosts;
let host: TestHost;
let one: PlacedSite;
let two: PlacedSite;

/** The value of a PHP expression, worked out by the site's own PHP behind nginx. */
async function inside(site: PlacedSite, expression: string): Promise<unknown> {
  const argv = [
    "curl",
    "-sS",
    "-m",
    "30",
    "--resolve",
    `${site.view.domain}:80:127.0.0.1`,
    "--data-binary",
    "@-",
    `http://${site.view.domain}/`,
  ];
  const { stdout } = await host.exec(argv, { input: expression });
  return JSON.parse(stdout) as unknown;
}

beforeAll(async () => {
  hosts = await startHosts([{ name: "web", services: ["nginx", "mariadb"] }]);
  host = hosts.host("web");
  await host.sh("mkdir -p /srv/platforms/probe/web /srv/platforms/other; cat > /srv/platforms/probe/web/index.php", {
    input:
      "<?php error_reporting(0); $value = eval('return ' . file_get_contents('php://input') . ';'); echo json_encode($value, JSON_PARTIAL_OUTPUT_ON_ERROR);",
  });
  await applyDeclared(host, used.php.server(used.server));
  one = await placeSite(host, used, {
    id: "one",
    uid: 20_301,
    domain: "one.example.com",
    options: {},
    release: "/srv/platforms/probe",
  });
  two = await placeSite(host, used, {
    id: "two",
    uid: 20_302,
    domain: "two.example.com",
    options: {},
    release: "/srv/platforms/probe",
  });
  await serve(host, one.view);
  await serve(host, two.view);
  await host.sh(
    "for s in one two; do echo secret > /srv/sites/$s/private/secret; chown $s /srv/sites/$s/private/secret; done",
  );
});

afterAll(async () => hosts?.stop());

// What keeps sites apart is in the conformance suite; here is what is php-fpm's own.
describe("the PHP of one site", () => {
  test("has the master's settings, and logs to its own journal", async () => {
    expect(await inside(one, "[ini_get('error_log'), ini_get('opcache.memory_consumption')]")).toEqual([
      "syslog",
      "128",
    ]);
  });

  test("reaches its database's socket, also after the database was restarted", async () => {
    const connect = "(bool) stream_socket_client('unix:///run/mysqld/mysqld.sock')";
    expect(await inside(one, connect)).toBe(true);
    await host.sh("systemctl restart mariadb");
    expect(await inside(one, connect)).toBe(true);
  });

  test("its errors go to the journal of its own unit", async () => {
    await inside(one, "error_log('marked by a test')");
    await host.sh("sleep 0.3");
    expect(await host.sh("journalctl --no-pager -u hostwright-php-one.service")).toContain("marked by a test");
  });
});

describe("the unit", () => {
  // Three visitors, from before the first verb until after the last one, however long those take.
  const load = `rm -f /run/over; for worker in 1 2 3; do ( until [ -e /run/over ]; do
curl -s -m 20 -o /dev/null -w '%{http_code}\\n' --resolve one.example.com:80:127.0.0.1 --data-binary 'usleep(20000)' http://one.example.com/; done ) & done; sleep 0.5; `;
  const counts = (output: string): { requests: number; failed: number } => {
    const codes = output.trim().split("\n");
    return { requests: codes.length, failed: codes.filter((code) => code !== "200").length };
  };

  test.each(["restart", "reload", "stop"])("loses no request to a %s under load", async (verb) => {
    const { requests, failed } = counts(
      await host.sh(
        `${load} for i in 1 2 3 4 5; do systemctl -q ${verb} hostwright-php-one.service 2>/dev/null; sleep 0.4; done; touch /run/over; wait`,
      ),
    );
    expect(requests).toBeGreaterThanOrEqual(10);
    expect(failed).toBe(0);
  });

  test("keeps its socket when its master stops, and starts with the next request", async () => {
    await host.sh("systemctl stop hostwright-php-one.service 2>/dev/null");
    expect((await host.exec(["systemctl", "is-active", "hostwright-php-one.service"])).stdout).toBe("inactive\n");
    expect(await inside(one, "1 + 1")).toBe(2);
  });

  test("closes with its socket", async () => {
    await inside(two, "1");
    await host.sh("systemctl stop hostwright-php-two.socket");
    expect((await host.exec(["systemctl", "is-active", "hostwright-php-two.service"])).stdout).toBe("inactive\n");
    await host.sh("systemctl start hostwright-php-two.socket");
  });

  test("a master that cannot start does not spin, and serves as soon as it can", async () => {
    await host.sh("mv /etc/hostwright/php/one.conf /root/; systemctl stop hostwright-php-one.service 2>/dev/null");
    await host.exec(["curl", "-s", "-m", "3", "--resolve", "one.example.com:80:127.0.0.1", "http://one.example.com/"]);
    const starts = Number(
      await host.sh(
        "journalctl --no-pager -o cat -u hostwright-php-one.service --since -3s | grep -c '^Starting' || true",
      ),
    );
    expect(starts).toSatisfy((count: number) => count > 0 && count < 40);
    await host.sh("mv /root/one.conf /etc/hostwright/php/; sleep 11");
    expect(await inside(one, "1 + 1")).toBe(2);
  });

  test("comes back after a reboot without any PHP running", async () => {
    await host.reboot();
    expect(await host.sh("systemctl list-units --no-legend --state=running 'hostwright-php-*.service'")).toBe("");
    expect(await inside(one, "1 + 1")).toBe(2);
  });
});

describe("the reaper", () => {
  const reap = "/usr/local/lib/hostwright/hostwright-php-reap";
  const running = async (): Promise<string> =>
    (await host.exec(["systemctl", "is-active", "hostwright-php-one.service"])).stdout.trim();

  test("spares a site at work and one just started, and stops one that is idle", async () => {
    await inside(one, "1");
    await host.sh(`sh ${reap}; sleep 1`);
    expect(await running()).toBe("active");
    await host.sh("sleep 75");
    await host.sh(`sh ${reap}; sleep 2`);
    expect(await running()).toBe("inactive");
    expect(await inside(one, "2 + 2")).toBe(4);
  });

  test("stops a master whose program was replaced", async () => {
    await inside(one, "1");
    await host.sh("cp -p /usr/sbin/php-fpm8.4 /usr/sbin/new; mv /usr/sbin/new /usr/sbin/php-fpm8.4");
    await host.sh(`sh ${reap}; sleep 2`);
    expect(await running()).toBe("inactive");
    expect(await inside(one, "2 + 2")).toBe(4);
  });

  test("runs by itself", async () => {
    expect((await host.exec(["systemctl", "is-active", "hostwright-php-reap.timer"])).stdout).toBe("active\n");
  });
});
