import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "../../../../../test/hosts/hosts.ts";
import { sshTo } from "../../../../testing/src/containers/ssh-to.ts";
import type { Target } from "../../contracts/resource.ts";
import type { Publication } from "../../contracts/publication.ts";
import { isHostwrightError, type HostwrightError } from "../../errors/hostwright-error.ts";
import type { SshServer } from "../../servers/ssh-server.ts";
import { pendingPublication, publish, type PublishOptions } from "./publisher.ts";
import { underLoad } from "../../../../../test/support/under-load.ts";

const ROOT = "/etc/hostwright/nginx";

/** The least that a web server's plugin gives: nginx with nothing but what a publication needs. */
const nginx: Publication = {
  root: ROOT,
  unit: "nginx.service",
  test: ["nginx", "-t"],
  errorLog: "/var/log/nginx/error.log",
  blame: (output) => {
    const match = /\[emerg\] (?:\d+#\d+: )?(.* in (\/.+):\d+)/.exec(output);
    return match === null ? null : { file: match[2] ?? "", message: match[1] ?? "" };
  },
  status: { port: 591, path: "/generation" },
  statusEntry: (generation) => ({
    name: "000-status.conf",
    content: `server { listen 127.0.0.1:591; location = /generation { return 200 "${generation}\\n"; } }\n`,
  }),
};

/** Says nothing that names a file, and counts how often it is asked. */
const silent: Publication = {
  ...nginx,
  test: ["sh", "-c", "echo x >> /run/tests; nginx -t >/dev/null 2>&1 || { echo 'something is wrong'; exit 1; }"],
  blame: () => null,
};
const tests = async (): Promise<number> => Number(await host.sh("wc -l < /run/tests; rm -f /run/tests"));

const site = (name: string, answer = name, port = 80): string =>
  `server { listen ${port}; server_name ${name}.test; return 200 "${answer}\\n"; }\n`;

let hosts: TestHosts;
let host: TestHost;
let server: SshServer;
let target: Target;

async function write(entries: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(entries))
    await host.sh(`cat > ${ROOT}/entries/${name}`, { input: content });
}

async function answer(name: string): Promise<string> {
  return host.sh(`curl -sS -m 5 -H "Host: ${name}.test" http://127.0.0.1/ || true`);
}

/** All of our folder but what only counts (lock, highest number), and what nginx answers. */
async function state(): Promise<string> {
  const files = await host.sh(
    `cd ${ROOT} && find . ! -name publish.lock ! -name last -printf '%p %y %l %m\\n' | sort && find . -type f ! -name publish.lock ! -name last -exec sha256sum {} + | sort`,
  );
  return files + (await host.sh("curl -sS -m 5 http://127.0.0.1:591/generation || true"));
}

async function waits(): Promise<boolean> {
  return (await pendingPublication(target, nginx)).waits;
}

async function reloads(): Promise<number> {
  return Number(await host.sh("grep -c 'signal 1 (SIGHUP)' /var/log/nginx/error.log || true"));
}

async function failure(options: PublishOptions = {}, publication: Publication = nginx): Promise<HostwrightError> {
  const error: unknown = await publish(target, publication, options).then(
    () => new Error("it was published"),
    (reason: unknown) => reason,
  );
  if (!isHostwrightError(error)) throw error;
  return error;
}

/** Told before the end of the wait for a server that is only slow, which is three times as long. */
const AT_ONCE_MS = 30_000;

/** With another command that reloads nginx, in words of sh. */
async function withReload(command: string, use: () => Promise<void>): Promise<void> {
  const dropIn = "/etc/systemd/system/nginx.service.d";
  await host.sh(`mkdir -p ${dropIn}; cat > ${dropIn}/reload.conf; systemctl daemon-reload`, {
    input: `[Service]\nExecReload=\nExecReload=/bin/sh -c '${command}'\n`,
  });
  try {
    await use();
  } finally {
    await host.sh(`rm -r ${dropIn}; systemctl daemon-reload`);
  }
}

beforeAll(async () => {
  hosts = await startHosts([{ name: "web", services: ["nginx"] }]);
  host = hosts.host("web");
  server = sshTo(host);
  target = {
    server,
    credentials: null,
    signal: new AbortController().signal,
    resolve: () => "",
    scope: "server/web1",
    serviceOptions: () => ({}),
    connection: async (_key, open) => open(),
    mutate: async (script) => server.script(script),
  };
  await host.sh(`sed -i 's|^error_log .*|error_log /var/log/nginx/error.log notice;|' /etc/nginx/nginx.conf
    echo 'include ${ROOT}/current/*.conf;' > /etc/nginx/conf.d/hostwright.conf; systemctl restart nginx`);
});

afterAll(async () => {
  await server?.close();
  await hosts?.stop();
});

beforeEach(async () => {
  await host.sh(`rm -rf ${ROOT} /etc/nginx/conf.d/foreign.conf; mkdir -p ${ROOT}/entries
    systemctl reset-failed nginx || true; systemctl restart nginx; : > /var/log/nginx/error.log`);
});

describe("a good publication", () => {
  test("puts many entries in force with one reload and one round trip, and a second one does nothing", async () => {
    await write({ "a.conf": site("a"), "b.conf": site("b"), "c.conf": site("c") });
    expect(await waits()).toBe(true);
    const before = server.stats.roundTrips;
    const first = await publish(target, nginx);
    expect(server.stats.roundTrips - before).toBe(1);
    expect(first).toEqual({
      generation: 1,
      changed: true,
      entries: ["a.conf", "b.conf", "c.conf"],
      reloaded: true,
      quarantined: [],
    });
    expect([await answer("a"), await answer("b"), await answer("c")]).toEqual(["a\n", "b\n", "c\n"]);
    expect(await reloads()).toBe(1);
    expect(await waits()).toBe(false);
    const then = await state();
    expect(await publish(target, nginx)).toEqual({
      generation: 1,
      changed: false,
      entries: [],
      reloaded: false,
      quarantined: [],
    });
    expect(await state()).toBe(then);
    expect(await reloads()).toBe(1);
  });

  test("takes changed and removed entries in, and keeps the last five generations", async () => {
    for (let round = 1; round <= 7; round++) {
      await write({ "a.conf": site("a", `round ${round}`) });
      expect(await publish(target, nginx)).toMatchObject({ generation: round, entries: ["a.conf"] });
    }
    expect(await answer("a")).toBe("round 7\n");
    expect(await host.sh(`ls ${ROOT}/generations | sort -n | xargs`)).toBe("3 4 5 6 7\n");
    await host.sh(`rm ${ROOT}/entries/a.conf`);
    expect(await publish(target, nginx)).toMatchObject({ generation: 8, entries: ["a.conf"] });
    expect(await answer("a")).not.toBe("round 7\n");
  });

  test("does nothing when entries hold a file that is still being written", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    await write({ ".b.conf.hostwright-new": "half" });
    expect(await waits()).toBe(false);
    expect(await publish(target, nginx)).toMatchObject({ reloaded: false });
  });

  test("by force reloads although no entry differs", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    expect(await publish(target, nginx, { force: true })).toEqual({
      generation: 2,
      changed: true,
      entries: [],
      reloaded: true,
      quarantined: [],
    });
  });

  test("waits for a web server that is slow to take it", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    // As under a high load: the workers answer with the old one all the while.
    const slow = "kill -STOP $MAINPID; kill -HUP $MAINPID; (sleep 7; kill -CONT $MAINPID) &";
    await withReload(slow, async () => {
      await write({ "a.conf": site("a", "new") });
      expect(await publish(target, nginx)).toMatchObject({ generation: 2, reloaded: true });
      expect(await answer("a")).toBe("new\n");
    });
  });

  test("starts a web server that does not run", async () => {
    await host.sh("systemctl stop nginx");
    await write({ "a.conf": site("a") });
    expect(await publish(target, nginx)).toMatchObject({ generation: 1, changed: true, reloaded: false });
    expect(await answer("a")).toBe("a\n");
  });

  test("by eight publishers at once costs one reload", async () => {
    await write({ "a.conf": site("a"), "b.conf": site("b") });
    const results = await Promise.all(Array.from({ length: 8 }, async () => publish(target, nginx)));
    expect(results.map((result) => result.generation)).toEqual(Array.from({ length: 8 }, () => 1));
    expect(results.filter((result) => result.reloaded)).toHaveLength(1);
    expect(await reloads()).toBe(1);
  });
});

describe("a refused configuration", () => {
  test("of ours is named by its entry, and everything is as it was", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    await write({ "bad.conf": "server { listen 80; server_name bad.test; nonsense on; }\n" });
    const before = await state();
    const error = await failure();
    expect(error.code).toBe("HW_HTTP_CONFIG_REFUSED");
    expect(error.data).toMatchObject({ entry: "bad.conf", changed: ["bad.conf"], generation: 1 });
    expect(error.message).toContain('unknown directive "nonsense"');
    expect(await state()).toBe(before);
    expect(await reloads()).toBe(1);
    expect(await waits()).toBe(true);
  });

  test("of another task does not stop this one's entry", async () => {
    await write({ "a.conf": site("a"), "other.conf": site("other") });
    await publish(target, nginx);
    await write({ "a.conf": site("a", "new"), "other.conf": "nonsense;\n", "third.conf": "more nonsense;\n" });
    const result = await publish(target, nginx, { own: ["a.conf"] });
    expect(result).toEqual({
      generation: 2,
      changed: true,
      entries: ["a.conf"],
      reloaded: true,
      quarantined: [
        { name: "other.conf", reason: expect.stringContaining('unknown directive "nonsense"') },
        { name: "third.conf", reason: expect.stringContaining('unknown directive "more"') },
      ],
    });
    expect([await answer("a"), await answer("other")]).toEqual(["new\n", "other\n"]);
    // It is no reason for others to publish again; who wants to know of it reads it.
    expect(await pendingPublication(target, nginx)).toEqual({ waits: false, quarantined: result.quarantined });
    expect(await failure({ own: ["other.conf"] })).toMatchObject({
      code: "HW_HTTP_CONFIG_REFUSED",
      data: { entry: "other.conf" },
    });
  });

  test("that was broken before in a foreign file names that file, and nothing is changed", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    await host.sh("echo 'foreign_nonsense on;' > /etc/nginx/conf.d/foreign.conf");
    await write({ "b.conf": site("b") });
    const before = await state();
    const error = await failure();
    expect(error.code).toBe("HW_HTTP_FOREIGN_CONFIG");
    expect(error.data).toMatchObject({ file: "/etc/nginx/conf.d/foreign.conf", entry: null });
    expect(error.message).toContain("/etc/nginx/conf.d/foreign.conf");
    expect(await state()).toBe(before);
    await host.sh("rm /etc/nginx/conf.d/foreign.conf");
    expect(await publish(target, nginx)).toMatchObject({ generation: 2, entries: ["b.conf"] });
  });

  test("of ours that broke by itself is repaired by a better entry", async () => {
    await write({ "a.conf": `${site("a")}include /etc/nginx/gone.conf;\n` });
    await host.sh("touch /etc/nginx/gone.conf");
    await publish(target, nginx);
    await host.sh("rm /etc/nginx/gone.conf");
    await write({ "a.conf": site("a", "repaired") });
    expect(await publish(target, nginx)).toMatchObject({ generation: 2 });
    expect(await answer("a")).toBe("repaired\n");
  });

  test("on a server without any generation leaves none behind", async () => {
    await write({ "bad.conf": "nonsense;\n" });
    const before = await state();
    expect(await failure()).toMatchObject({ code: "HW_HTTP_CONFIG_REFUSED", data: { generation: 0 } });
    expect((await state()).replace("./generations d  750\n", "")).toBe(before);
  });
});

describe("a refusal that names no entry", () => {
  const many = Array.from({ length: 32 }, (_, index) => `s${String(index).padStart(2, "0")}`);

  test("is searched for by halving: two of 32 are quarantined, 30 published, in two round trips and one reload", async () => {
    await write({ "s07.conf": site("s07", "old") });
    await publish(target, silent);
    const entries = Object.fromEntries(many.map((name) => [`${name}.conf`, site(name)]));
    await write({ ...entries, "s07.conf": "nonsense;\n", "s19.conf": "nonsense;\n" });
    await tests();
    const [trips, reloaded] = [server.stats.roundTrips, await reloads()];
    const started = performance.now();
    const result = await publish(target, silent, { own: ["s00.conf"] });
    const ms = Math.round(performance.now() - started);
    expect(server.stats.roundTrips - trips).toBe(2);
    expect(await reloads()).toBe(reloaded + 1);
    expect(result.quarantined.map(({ name }) => name)).toEqual(["s07.conf", "s19.conf"]);
    expect(result.entries).toHaveLength(30);
    const count = await tests();
    // All and the untouched twice, then log2(32) + 2 for each.
    expect(count).toBeLessThanOrEqual(4 + 2 * 7);
    console.info(`halving on nginx: 32 entries, 2 refused: ${count} tests, 2 round trips, ${ms} ms`);
    const answers = await Promise.all(many.map(async (name) => answer(name)));
    expect(answers.slice(0, 7)).toEqual(many.slice(0, 7).map((name) => `${name}\n`));
    expect(answers[7]).toBe("old\n");
    expect(answers.slice(20)).toEqual(many.slice(20).map((name) => `${name}\n`));
    expect(await failure({ own: ["s19.conf"] }, silent)).toMatchObject({
      code: "HW_HTTP_CONFIG_REFUSED",
      data: { entries: ["s19.conf"], generation: 2 },
    });
    await write({ "s19.conf": site("s19"), "new.conf": site("new") });
    const next = await publish(target, silent, { own: ["new.conf"] });
    expect(next).toMatchObject({ entries: ["new.conf", "s19.conf"], quarantined: [{ name: "s07.conf" }] });
    expect(await answer("s19")).toBe("s19\n");
  });

  test("of two that are refused only together holds back the one that is not the caller's, whichever comes first", async () => {
    const upstream = (name: string): string => `upstream shared { server 127.0.0.1:1; }\n${site(name)}`;
    await write({ "a.conf": upstream("a"), "b.conf": upstream("b"), "c.conf": site("c") });
    const result = await publish(target, silent, { own: ["b.conf"] });
    expect(result).toMatchObject({ entries: ["b.conf", "c.conf"], quarantined: [{ name: "a.conf" }] });
    expect([await answer("b"), await answer("c")]).toEqual(["b\n", "c\n"]);
    const error = await failure({ own: ["a.conf"] });
    expect(error).toMatchObject({ code: "HW_HTTP_CONFIG_REFUSED", data: { entries: ["a.conf"] } });
    expect(error.message).toContain('duplicate upstream "shared"');
  });

  test("of an entry that the caller answers for fails it by name, and all others are published", async () => {
    await write({ "a.conf": site("a"), "b.conf": "nonsense;\n", "c.conf": site("c") });
    const error = await failure({ own: ["b.conf"] }, silent);
    expect(error).toMatchObject({ code: "HW_HTTP_CONFIG_REFUSED", data: { entries: ["b.conf"], generation: 1 } });
    expect([await answer("a"), await answer("c")]).toEqual(["a\n", "c\n"]);
  });

  test("of more than any message is asked for is searched for too", async () => {
    const bad = Object.fromEntries(many.slice(1, 27).map((name) => [`${name}.conf`, "nonsense;\n"]));
    await write({ "s00.conf": site("s00"), ...bad, "s30.conf": site("s30") });
    const result = await publish(target, nginx, { own: ["s00.conf"] });
    expect(result.entries).toEqual(["s00.conf", "s30.conf"]);
    expect(result.quarantined.map(({ name }) => name).toSorted()).toEqual(Object.keys(bad));
  });
});

describe("a web server that does not take it", () => {
  const stealPort = async (port: number): Promise<() => Promise<void>> => {
    await host.sh(`systemd-run -q --unit=thief perl -MIO::Socket::INET -e 'my $held = IO::Socket::INET->new(LocalPort => ${port}, Listen => 1, ReuseAddr => 1) or die; sleep'
      timeout 5 sh -c 'until ss -ltn | grep -q ":${port} "; do sleep 0.05; done'`);
    return async () => void (await host.sh("systemctl stop thief"));
  };

  test("because a port is taken (its reload exits with 0) fails with the reason, and the former generation is in force", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    const giveBack = await stealPort(8099);
    try {
      await write({ "b.conf": site("b", "b", 8099) });
      const before = await state();
      const started = performance.now();
      const error = await failure();
      expect(error.code).toBe("HW_HTTP_RELOAD_FAILED");
      expect(error.message).toMatch(/8099.*Address already in use/);
      expect(performance.now() - started).toBeLessThan(underLoad(AT_ONCE_MS));
      expect(error.data).toMatchObject({ generation: 1, runs: true });
      expect(await state()).toBe(before);
      expect(await answer("a")).toBe("a\n");
    } finally {
      await giveBack();
    }
    expect(await publish(target, nginx)).toMatchObject({ generation: 3 });
  });

  test("because of another's entry gets the caller's alone, after one more attempt, and the other fails its own task", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    const giveBack = await stealPort(8099);
    try {
      await write({ "b.conf": site("b", "b", 8099), "c.conf": site("c") });
      const trips = server.stats.roundTrips;
      const result = await publish(target, nginx, { own: ["c.conf"] });
      expect(server.stats.roundTrips - trips).toBe(2);
      expect(result).toMatchObject({ entries: ["c.conf"], reloaded: true });
      expect(result.quarantined).toEqual([{ name: "b.conf", reason: expect.stringMatching(/reload.*8099/) }]);
      expect([await answer("a"), await answer("c")]).toEqual(["a\n", "c\n"]);
      // A task without an entry of its own is no reason to fail either.
      expect(await publish(target, nginx, { own: [] })).toMatchObject({
        changed: false,
        quarantined: [{ name: "b.conf" }],
      });
      expect(await failure({ own: ["b.conf"] })).toMatchObject({
        code: "HW_HTTP_RELOAD_FAILED",
        data: { entries: ["b.conf"] },
      });
      expect(await answer("c")).toBe("c\n");
    } finally {
      await giveBack();
    }
    expect(await publish(target, nginx, { own: ["b.conf"] })).toMatchObject({ entries: ["b.conf"], quarantined: [] });
  });

  test("because it dies of an entry is started with the former generation, and the others are published without that one", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    // As Apache does on a graceful restart: its test is content, the reload exits with 0, and the main process is gone.
    const dies = `if grep -qs deadly ${ROOT}/current/*.conf; then kill -KILL $MAINPID; else kill -HUP $MAINPID; fi`;
    await withReload(dies, async () => {
      await write({ "b.conf": `# deadly\n${site("b")}`, "c.conf": site("c") });
      const started = performance.now();
      const result = await publish(target, nginx, { own: ["c.conf"] });
      expect(result).toMatchObject({ entries: ["c.conf"], quarantined: [{ name: "b.conf" }] });
      expect([await answer("a"), await answer("c")]).toEqual(["a\n", "c\n"]);
      const error = await failure({ own: ["b.conf"] });
      expect(error).toMatchObject({ code: "HW_HTTP_RELOAD_FAILED", data: { entries: ["b.conf"], runs: true } });
      expect(performance.now() - started).toBeLessThan(underLoad(AT_ONCE_MS));
      expect([await answer("a"), await answer("c")]).toEqual(["a\n", "c\n"]);
    });
    expect(await publish(target, nginx)).toMatchObject({ entries: ["b.conf"], quarantined: [] });
  });

  test("because it cannot start says that it does not run", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    await host.sh("systemctl stop nginx");
    const giveBack = await stealPort(80);
    try {
      await write({ "b.conf": site("b") });
      const error = await failure();
      expect(error).toMatchObject({ code: "HW_HTTP_RELOAD_FAILED", data: { runs: false, generation: 1 } });
      expect(error.message).toContain("does not run");
      expect(await host.sh(`readlink ${ROOT}/current`)).toBe("generations/1\n");
    } finally {
      await giveBack();
    }
    expect(await publish(target, nginx)).toMatchObject({ generation: 3, changed: true });
    expect([await answer("a"), await answer("b")]).toEqual(["a\n", "b\n"]);
  });
});

describe("after a publisher that died", () => {
  test("in the middle of its switch, the next one goes back and publishes all entries", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    await write({ "a.conf": site("a", "new") });
    // As it is left by a power failure right after the switch, with a generation that nginx would refuse.
    await host.sh(`cd ${ROOT} && echo 2 > last && mkdir generations/2 generations/3.partial && echo 'nonsense;' > generations/2/a.conf
      ln -s generations/1 former && ln -sfn generations/2 current`);
    expect(await waits()).toBe(true);
    expect(await publish(target, nginx)).toMatchObject({
      generation: 3,
      changed: true,
      entries: ["a.conf"],
      reloaded: true,
    });
    expect(await answer("a")).toBe("new\n");
    expect(await host.sh(`cd ${ROOT} && ls . generations | xargs`)).toBe(
      ".: current entries generations last publish.lock generations: 1 3\n",
    );
  });

  test("is reloaded even when the entries were put back meanwhile", async () => {
    await write({ "a.conf": site("a") });
    await publish(target, nginx);
    await host.sh(`cd ${ROOT} && cp -a generations/1 generations/2 && sed -i 's/"a/"unwanted/' generations/2/a.conf && sed -i 's/"1/"2/' generations/2/000-status.conf
      echo 2 > last; ln -s generations/1 former && ln -sfn generations/2 current && systemctl reload nginx; sleep 0.3`);
    expect(await answer("a")).toBe("unwanted\n");
    expect(await publish(target, nginx)).toMatchObject({ generation: 3, reloaded: true });
    expect(await answer("a")).toBe("a\n");
  });
});
