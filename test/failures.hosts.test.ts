import { setTimeout as delay } from "node:timers/promises";
import { verify, type Listener, type Task } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { BROKEN, brokenNginx, faulty } from "./support/faulty-plugins.ts";
import { oneIn } from "./support/drawn.ts";
import { LivingServer } from "./support/living-server.ts";
import { atMoment, strayProcesses } from "./support/moments.ts";
import { page } from "./support/page.ts";
import { expectRefusedAtPlanning, expectUndone, type Expected, type UndoneOptions } from "./support/refusal.ts";
import { underLoad } from "./support/under-load.ts";

const NEW = "new.example.com";

const PUBLISH_PLATFORM = /^publish platform/;
const DATABASE = /^database of/;
const FOLDERS = /^user, folders/;
const CONTENT = /^first content/;
const INSTALLER = /^installer/;
const PUBLISH = /^publish new/;
const PAGE = /^look at the page/;

const drawn = oneIn(3);

let living: LivingServer;

beforeAll(async () => {
  living = await LivingServer.start({ http: brokenNginx, plugins: [faulty], spec: { smallDisks: { "/srv": "320M" } } });
  const source = { path: living.codebases["6.1"] };
  await living.hw.platforms.put({ name: "faulty", server: "web1", type: faulty.platform(), source });
  await living.hw.run(verify("faulty"));
  await living.hw.platforms.put({ name: "second", server: "web1", type: wordpress.platform(), source });
  await living.remember();
});

afterAll(async () => living?.[Symbol.asyncDispose]());

type Moment = "action:started" | "action:failed";
const at = (type: Moment, title: RegExp, work: () => Promise<unknown>): Listener => atMoment(living, type, title, work);
const sh = async (script: string): Promise<string> => living.host.sh(script);

describe("a full disk of the web server", () => {
  const fill = async (spare: number): Promise<unknown> =>
    sh(`free=$(( $(stat -f -c '%a * %S' /srv) - ${spare} )); [ $free -le 0 ] || fallocate -l $free /srv/filler`);
  const restore = async (): Promise<unknown> => sh("rm -f /srv/filler");
  const full = (...names: (string | RegExp)[]): Expected => ({
    code: "HW_DISK_FULL",
    names: ["web1", /no space left/i, ...names],
  });

  const short = (...names: string[]): Expected => ({
    code: "HW_DISK_FULL",
    names: ["web1", "/srv/platforms/second", /needs \d+\.\d MB/, "20.0 MB are free", ...names],
  });

  drawn("before the release is copied is told when it is planned: no action begins", async () => {
    await fill(20_000_000);
    const begun: unknown[] = [];
    const onEvent: Listener = ({ type, payload }) => void (type === "action:started" && begun.push(payload));
    const request = living.install(NEW, { platform: "second" });
    await expectUndone(living, request, short("Nothing was changed"), { onEvent, restore });
    expect(begun).toEqual([]);
  });

  drawn("that filled up after the plan is told before the first byte is copied", async () => {
    const onEvent = at("action:started", PUBLISH_PLATFORM, async () => fill(20_000_000));
    const request = living.install(NEW, { platform: "second" });
    await expectUndone(living, request, short("Nothing of it was begun"), { onEvent, restore });
  });

  drawn("in the middle of the copy", async () => {
    const filling = `until [ -e /srv/platforms/.second.partial-* ]; do sleep 0.005; done
      until fallocate -l $(( $(stat -f -c '%a * %S' /srv) - 1000000 )) /srv/filler 2>/dev/null; do :; done`;
    let filled: Promise<unknown> = Promise.resolve();
    const onEvent = at("action:started", PUBLISH_PLATFORM, async () => {
      filled = sh(filling);
    });
    await expectUndone(living, living.install(NEW, { platform: "second" }), full("/srv/platforms/second"), {
      onEvent,
      restore: async () => filled.then(restore),
    });
  });

  drawn("when the site's folders and settings are made", async () => {
    const onEvent = at("action:started", FOLDERS, async () => fill(0));
    await expectUndone(living, living.install(NEW), full("/srv/sites/"), { onEvent, restore });
  });

  drawn("when the site's first content is copied", async () => {
    const onEvent = at("action:started", CONTENT, async () => fill(500_000));
    await expectUndone(living, living.install(NEW), full(NEW), { onEvent, restore });
  });

  drawn("by the installer itself", async () => {
    await expectUndone(living, living.install("fills.example.com", { platform: "faulty" }), full("fills.example.com"));
  });
});

describe("a database that goes down", () => {
  const stop = async (): Promise<unknown> => sh("systemctl stop mariadb");
  const start = async (): Promise<unknown> => sh("systemctl start mariadb");

  drawn("after the plan, and stays down until all was undone", async () => {
    const onEvent = at("action:started", DATABASE, stop);
    const expected = { code: "HW_DATABASE_UNREACHABLE", names: ["web1", "mariadb"] } as const;
    await expectUndone(living, living.install(NEW), expected, { onEvent, restore: start });
  });

  drawn("while the site is installed: its database is dropped when the server is back", async () => {
    const stopping = at("action:started", INSTALLER, stop);
    const starting = at("action:failed", INSTALLER, async () => {
      // Not awaited: the undo begins while it is still down.
      void delay(2_000).then(start);
    });
    const onEvent: Listener = (event) => {
      stopping(event);
      starting(event);
    };
    const expected = { code: "HW_INSTALLER_FAILED", names: [NEW, "web1", /database/i] } as const;
    await expectUndone(living, living.install(NEW), expected, { onEvent });
  });
});

describe("configuration that the web server refuses", () => {
  const FOREIGN = "/etc/nginx/conf.d/admin.conf";
  const write = async (): Promise<unknown> => sh(`echo 'bogus_directive on;' > ${FOREIGN}`);
  const foreign = { code: "HW_HTTP_FOREIGN_CONFIG", names: [FOREIGN, "bogus_directive", "web1"] } as const;

  drawn("of ours: the entry is named, and every other site stays in force", async () => {
    const expected = { code: "HW_HTTP_CONFIG_REFUSED", names: [/s\w+\.conf/, "no_such_directive", "web1"] } as const;
    const { error } = await expectUndone(living, living.install(BROKEN), expected);
    expect(error.data["entry"]).toMatch(/^s\w+\.conf$/);
  });

  drawn("of an administrator's, from before: refused when it is planned, with the file", async () => {
    await write();
    await living.remember();
    await expectRefusedAtPlanning(living, living.install(NEW), foreign);
    await sh(`rm ${FOREIGN}`);
    await living.remember();
  });

  drawn("of an administrator's, written in the meantime: undone, with the file", async () => {
    const onEvent = at("action:started", PUBLISH, write);
    await expectUndone(living, living.install(NEW), foreign, { onEvent, restore: async () => sh(`rm ${FOREIGN}`) });
  });

  drawn("of an administrator's, that takes the site's name in the meantime: nothing is left of it", async () => {
    const other =
      "printf 'server { listen 80; server_name new.example.com; return 418; }' > /etc/nginx/conf.d/aaa.conf";
    const onEvent = at("action:started", PUBLISH, async () => sh(other));
    const expected = { code: "HW_PROBE_FAILED", names: [NEW, "418", "web1"] } as const;
    const restore = async (): Promise<unknown> =>
      sh(`rm /etc/nginx/conf.d/aaa.conf && systemctl reload nginx
while [ "$(curl -s -o /dev/null -w '%{http_code}' -H 'Host: new.example.com' http://127.0.0.1/)" = 418 ]; do sleep 0.1; done`);
    await expectUndone(living, living.install(NEW), expected, { onEvent, restore });
  });
});

describe("an installer", () => {
  const faults = (domain: string): ReturnType<LivingServer["install"]> =>
    living.install(domain, { platform: "faulty" });

  drawn("that fails is told with what it said, but for the secrets that it printed", async () => {
    const expected = { code: "HW_INSTALLER_FAILED", names: ["fails.example.com", "web1", "no theme for"] } as const;
    const { error } = await expectUndone(living, faults("fails.example.com"), expected);
    expect(error.output).toMatch(/password \[admin-password\]/);
    expect(error.output).toMatch(/\[db-password\]/);
  });

  drawn("that is killed is told with its signal and last words", async () => {
    const expected = { code: "HW_INSTALLER_FAILED", names: ["dies.example.com", "signal"] } as const;
    const { error } = await expectUndone(living, faults("dies.example.com"), expected);
    expect(error.output).toContain("about to die");
  });

  drawn("that gives no answer has failed, whatever its exit code", async () => {
    const expected = { code: "HW_INSTALLER_FAILED", names: ["babbles.example.com", "no answer"] } as const;
    const { error } = await expectUndone(living, faults("babbles.example.com"), expected);
    expect(error.output).toContain("all is well");
  });

  drawn("that only claims success is found out by the page", async () => {
    await expectUndone(living, faults("lies.example.com"), {
      code: "HW_PROBE_FAILED",
      names: ["lies.example.com", "302", "web1"],
    });
  });

  drawn("that hangs is stopped at its limit, with all its processes", async () => {
    const expected = { code: "HW_COMMAND_TIMEOUT", names: ["hangs.example.com", "3 s", "web1"] } as const;
    const { error, seconds } = await expectUndone(living, faults("hangs.example.com"), expected);
    expect(error.output).toContain("waiting for a licence key");
    expect(seconds).toBeLessThan(underLoad(25));
    expect(await strayProcesses(living.host)).toEqual([]);
  });
});

describe("a cancel", () => {
  async function cancelAt(
    title: RegExp,
    options: { readonly platform?: string; readonly domain?: string; readonly after?: number } = {},
  ): Promise<void> {
    const cancel = new AbortController();
    const { platform = "wordpress", domain = NEW, after = 30 } = options;
    let since = 0;
    const onEvent: Listener = (event) => {
      if (event.type !== "action:started" || !title.test(event.payload.title)) return;
      setTimeout(() => {
        since = performance.now();
        cancel.abort();
      }, after);
    };
    const expected = { code: "HW_CANCELLED", names: [domain, "web1", title.source.slice(1)] } as const;
    const finished: UndoneOptions["restore"] = async () =>
      expect(performance.now() - since).toBeLessThan(underLoad(12_000));
    await expectUndone(living, living.install(domain, { platform }), expected, {
      onEvent,
      signal: cancel.signal,
      restore: finished,
    });
    expect(await strayProcesses(living.host)).toEqual([]);
  }

  drawn("in the middle of the copy of a release", async () =>
    cancelAt(PUBLISH_PLATFORM, { platform: "second", after: 150 }),
  );
  drawn("while user, folders and settings are made", async () => cancelAt(FOLDERS));
  drawn("while the installer runs and hangs", async () =>
    cancelAt(INSTALLER, { platform: "faulty", domain: "hangs.example.com", after: 800 }),
  );
  drawn("while the web server takes the site up", async () => cancelAt(PUBLISH));
  drawn("while the page is looked at", async () => cancelAt(PAGE, { after: 0 }));

  drawn("before anything began", async () => {
    const expected = { code: "HW_CANCELLED", names: [/nothing was changed/i] } as const;
    await expectUndone(living, living.install(NEW), expected, { signal: AbortSignal.abort() });
  });

  drawn("from elsewhere, by the task's id", async () => {
    const onEvent: Listener = (event) => {
      if (event.type === "action:started" && INSTALLER.test(event.payload.title))
        void living.hw.task(event.task ?? "").cancel();
    };
    const expected = { code: "HW_CANCELLED", names: [NEW] } as const;
    await expectUndone(living, living.install(NEW), expected, { onEvent });
  });
});

describe("a connection that is cut", () => {
  /** All sessions, as a dying router or an overeager administrator ends them; sshd itself goes on. */
  const cut = "for pid in $(pgrep -f '^sshd-session: root'); do kill -9 $pid; done";
  const SLOW = "hangs.example.com";

  /** Runs the script beside the install, from the beginning of an action on. */
  async function lostAt(title: RegExp, script: string, domain = NEW, platform = "wordpress"): Promise<void> {
    let ended: Promise<unknown> = Promise.resolve();
    const onEvent = at("action:started", title, async () => {
      await sh("rm -f /run/test-begun");
      ended = sh(script);
      await sh("until [ -e /run/test-begun ]; do sleep 0.01; done");
    });
    const expected = { code: "HW_SSH_LOST", names: ["web1"] } as const;
    const restore = async (): Promise<unknown> => ended;
    await expectUndone(living, living.install(domain, { platform }), expected, { onEvent, restore });
    expect(await strayProcesses(living.host)).toEqual([]);
  }

  /** Cuts it while what the action runs waits for a lock that it needs, and lets that go on half a second later. */
  const waitingFor = (lock: string): string =>
    `exec 8>>${lock}; flock 8; touch /run/test-begun
     waiting() { for pid in $(pgrep -x 'perl|flock'); do readlink /proc/$pid/fd/* 2>/dev/null; done | grep -qxF ${lock}; }
     until waiting; do sleep 0.02; done; sleep 0.1
     ${cut}; sleep 0.5`;

  drawn("in the middle of the copy of a release", async () => {
    const copying = "until [ -e /srv/platforms/.second.partial-* ]; do sleep 0.01; done";
    await lostAt(PUBLISH_PLATFORM, `touch /run/test-begun; ${copying}; ${cut}`, NEW, "second");
  });

  drawn("while user, folders and settings are made, which goes on without it", async () => {
    await lostAt(FOLDERS, waitingFor("/var/lib/hostwright/resources.lock"));
  });

  drawn("while the web server takes the site up, which goes on without it", async () => {
    await lostAt(PUBLISH, waitingFor("/etc/hostwright/nginx/publish.lock"));
  });

  const installing = "touch /run/test-begun; until pgrep -f '[f]aulty.php' >/dev/null; do sleep 0.02; done; sleep 0.2";

  drawn("while the installer runs", async () => {
    await lostAt(INSTALLER, `${installing}; ${cut}`, SLOW, "faulty");
  });

  drawn("and cannot be opened again for a while", async () => {
    const away = `systemctl stop ssh.socket ssh.service 2>/dev/null; ${cut}; sleep 4; systemctl start ssh.service`;
    await lostAt(INSTALLER, `${installing}; ${away}`, SLOW, "faulty");
  });
});

describe("two installs at once", () => {
  async function outcomes(tasks: readonly Task[]): Promise<readonly Awaited<ReturnType<Task["outcome"]>>[]> {
    await using _worker = living.hw.work({ concurrency: 4 });
    return await Promise.all(tasks.map(async (task) => task.outcome()));
  }

  drawn("of one domain: the first makes it, and the second, which waits for it, finds nothing to do", async () => {
    const tasks = [await living.hw.submit(living.install(NEW)), await living.hw.submit(living.install(NEW))];
    const ended = await outcomes(tasks);
    expect(ended).toMatchObject(tasks.map(() => ({ state: "succeeded", error: null, residue: [] })));
    const actions = async (id: string): Promise<number> => {
      for await (const { type, payload } of living.hw.task(id).events())
        if (type === "task:started") return payload.actions;
      return -1;
    };
    expect(await actions(tasks[0]?.id ?? "")).toBeGreaterThan(0);
    expect(await actions(tasks[1]?.id ?? "")).toBe(0);
    expect((await page(living.host, NEW, "/")).status).toBe(200);
    expect((await living.hw.sites.list()).filter((site) => site.domain === NEW)).toHaveLength(1);
  });

  drawn("of one domain as alias of the one and main domain of the other: exactly one wins", async () => {
    const request = living.install("other.example.com", { aliases: ["www.other.example.com"] });
    const tasks = [await living.hw.submit(request), await living.hw.submit(living.install("www.other.example.com"))];
    const ended = await outcomes(tasks);
    expect(ended.map(({ state }) => state).toSorted()).toEqual(["succeeded", "undone"]);
    expect(ended.find(({ state }) => state === "undone")).toMatchObject({
      error: { code: "HW_DOMAIN_TAKEN" },
      residue: [],
    });
  });

  drawn("of two domains: both succeed", async () => {
    const domains = ["one.example.com", "two.example.com"];
    const tasks = await Promise.all(domains.map(async (domain) => living.hw.submit(living.install(domain))));
    const ended = await outcomes(tasks);
    expect(ended.map(({ error }) => error)).toEqual([null, null]);
    for (const domain of domains) expect((await page(living.host, domain, "/")).status).toBe(200);
    expect((await living.hw.plan(verify("two.example.com"))).empty).toBe(true);
  });
});
