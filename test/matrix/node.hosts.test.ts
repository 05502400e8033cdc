import {
  configure,
  createHostwright,
  deleteSite,
  disable,
  enable,
  install,
  verify,
  type Hostwright,
  type SiteRecord,
} from "@hostwright/core";
import { nodeApp } from "@hostwright/platform-node";
import { apache } from "@hostwright/service-apache";
import { nginx } from "@hostwright/service-nginx";
import { node } from "@hostwright/service-node";
import { redis } from "@hostwright/service-redis";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { diffListing } from "../hosts/listing.ts";
import { startHosts, type TestHost, type TestHosts } from "../hosts/hosts.ts";
import { connect, homeOf } from "../support/fleet.ts";
import { settledListing } from "../support/listing.ts";
import { NODE_PROGRAM } from "../support/node-program.ts";
import { page } from "../support/page.ts";
import { isTried } from "./cells.ts";

const ONE = "one.example.com";
const TWO = "two.example.com";
const MARK = "a mark of two";
const LIMITS = { memoryMegabytes: 64, uploadMegabytes: 1 };

/** Folders that the first command of any site leaves for those to come. */
const OF_COMMANDS = [/ \/run\/hostwright /, / \/var\/lib\/hostwright\/attempts /];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostwright-node-"));
  for (const [path, content] of Object.entries(NODE_PROGRAM)) {
    await mkdir(dirname(join(folder, "source", path)), { recursive: true });
    await writeFile(join(folder, "source", path), content);
  }
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

/** What comes back over an upgraded connection that has sent a text. */
async function echoed(host: TestHost, domain: string, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = {
    host: domain,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
  };
  const call = request({ host: host.address, port: 80, path: "/socket", headers, timeout: 20_000 });
  call.on("upgrade", (_response, socket) => {
    socket.on("data", (chunk) => {
      resolve(chunk.toString());
      socket.destroy();
    });
    socket.write(text);
  });
  call.on("response", ({ statusCode }) => reject(new Error(`no upgrade but ${statusCode}`)));
  call.on("timeout", () => call.destroy(new Error("no echo in 20 s")));
  call.on("error", reject);
  call.end();
  return promise;
}

const SERVERS = [
  ["nginx", nginx],
  ["apache", apache],
] as const;

describe.each(SERVERS.filter(([name]) => isTried(`${name} + node`)))("%s + node", (name, server) => {
  let hosts: TestHosts;
  let host: TestHost;
  let hw: Hostwright;
  let one: SiteRecord;
  let two: SiteRecord;
  let before: string;

  beforeAll(async () => {
    hosts = await startHosts([{ name: "web1", packages: ["nodejs"] }]);
    host = hosts.host("web1");
    hw = await createHostwright({ stateDir: join(folder, name), plugins: [server, node, redis, nodeApp] });
    const services = [server.service(), node.service(), redis.service()];
    await hw.servers.put({ name: "web1", connect: connect(host), services });
    const source = { path: join(folder, "source") };
    await hw.platforms.put({ name: "app", server: "web1", type: nodeApp.platform(), source });
    await hw.run(verify("web1"));
    await hw.run(verify("@app"));
    await hw.run(install(ONE, { platform: "app", aliases: [`www.${ONE}`], limits: LIMITS }));
    one = await hw.sites.get(ONE);
    before = await settledListing(host, { ignore: OF_COMMANDS });
    await hw.run(install(TWO, { platform: "app", limits: LIMITS, bindings: { cache: "web1" } }));
    two = await hw.sites.get(TWO);
    await evaluate(TWO, `require("fs").writeFileSync(process.env.DATA_DIR + "/secret", ${JSON.stringify(MARK)})`);
  });

  afterAll(async () => {
    await hw?.[Symbol.asyncDispose]();
    await hosts?.stop();
  });

  afterEach(async () => {
    expect((await hw.plan(verify("web1"))).actions.map(({ title }) => title)).toEqual([]);
  });

  const get = async (path: string, domain: string = ONE): ReturnType<typeof page> => page(host, domain, path);
  const posted = async (domain: string, path: string, body: string): ReturnType<typeof page> =>
    page(host, domain, path, { method: "POST", body });
  const evaluate = async (domain: string, expression: string): Promise<unknown> =>
    JSON.parse((await posted(domain, "/eval", expression)).body);
  const unitOf = ({ id }: SiteRecord): string => `hostwright-node-${id}`;

  describe("its pages", () => {
    test("the program answers what is no file", async () => {
      expect(await get("/")).toMatchObject({ status: 200, title: "hello" });
      for (const path of ["/a/b?c=%2F&d", "/server.js", "/node_modules/greeting/index.js"])
        expect([path, JSON.parse((await get(path)).body)]).toMatchObject([path, { method: "GET", url: path }]);
      expect(await get("/", `www.${ONE}`)).toMatchObject({ status: 301, location: `http://${ONE}/` });
    });

    test("a file of public/ is the web server's, and a hidden one nobody's", async () => {
      const asked = await evaluate(ONE, "requests");
      expect(await get("/hello.txt")).toMatchObject({ status: 200, body: "a file" });
      for (const path of ["/.hidden", "/package.json"]) expect((await get(path)).status).toBe(404);
      expect(await evaluate(ONE, "requests")).toBe(Number(asked) + 1);
    });

    test("a body reaches the program up to the site's limit", async () => {
      expect(JSON.parse((await posted(ONE, "/form", "x".repeat(500_000))).body)).toMatchObject({
        method: "POST",
        length: 500_000,
      });
      const { stdout } = await host.exec(
        [
          "sh",
          "-c",
          'head -c 20000000 /dev/zero | curl -s -o /dev/null -w "%{http_code}" -H "$1" --data-binary @- "$2"',
        ].concat(["sh", `Host: ${ONE}`, "http://127.0.0.1/form"]),
      );
      expect(stdout).toBe("413");
    });

    test("a login of the program's own reaches it", async () => {
      const headers = ["-H", `Host: ${ONE}`, "-H", "Authorization: Bearer abc"];
      const { stdout } = await host.exec(["curl", "-s", ...headers, "http://127.0.0.1/headers"]);
      expect(JSON.parse(stdout)).toMatchObject({ headers: { host: ONE, authorization: "Bearer abc" } });
    });

    test("a slow answer comes whole, and an upgraded connection goes both ways", async () => {
      expect((await get("/stream")).body).toBe("first\nlast\n");
      expect(await echoed(host, ONE, "over and back")).toBe("over and back");
    });
  });

  describe("its surroundings", () => {
    test("it has the variables of its site, and writes in its folder for data", async () => {
      const socket = `/run/hostwright-node/${one.id}.sock`;
      const variables = { NODE_ENV: "production", PORT: socket, SITE_ID: one.id, SITE_URL: `http://${ONE}` };
      expect(await evaluate(ONE, "process.env")).toMatchObject({ ...variables, DATA_DIR: `${homeOf(one)}/private` });
      expect(
        await evaluate(ONE, "Object.keys(process.env).filter((name) => /^(LISTEN|CACHE|DB)_/.test(name))"),
      ).toEqual([]);
      expect(await evaluate(ONE, "[process.getuid(), process.cwd()]")).toEqual([one.uid, "/srv/platforms/app"]);
      const written = `require("fs").writeFileSync(process.env.DATA_DIR + "/mine", "x")`;
      expect(await evaluate(ONE, written)).toBe(null);
      for (const path of ["/srv/platforms/app/x", `${homeOf(one)}/conf/x`, `${homeOf(one)}/public/x`, "/usr/local/x"])
        expect([path, await evaluate(ONE, `require("fs").writeFileSync(${JSON.stringify(path)}, "x")`)]).toEqual([
          path,
          expect.stringMatching(/^(?:EROFS|EACCES)$/),
        ]);
    });

    test("its cache is reached with what its variables say", async () => {
      const asked = `new Promise((resolve, reject) => {
        const { CACHE_SOCKET, CACHE_USER, CACHE_PASSWORD, CACHE_PREFIX } = process.env;
        const socket = require("net").connect(CACHE_SOCKET, () =>
          socket.write("AUTH " + CACHE_USER + " " + CACHE_PASSWORD + "\\r\\nSET " + CACHE_PREFIX + "a 1\\r\\nQUIT\\r\\n"));
        let said = "";
        socket.on("data", (chunk) => (said += chunk)).on("end", () => resolve(said)).on("error", reject);
      })`;
      expect(await evaluate(TWO, asked)).toBe("+OK\r\n+OK\r\n+OK\r\n");
    });

    test("of its neighbour it sees no file, socket or process", async () => {
      const read = (path: string): string => `require("fs").readFileSync(${JSON.stringify(path)}, "utf8")`;
      expect(await evaluate(TWO, read(`${homeOf(two)}/private/secret`))).toBe(MARK);
      for (const path of [`${homeOf(two)}/private/secret`, `${homeOf(two)}/conf/env`])
        expect(await evaluate(ONE, read(path))).toBe("ENOENT");
      const listed = (path: string): string => `require("fs").readdirSync(${JSON.stringify(path)})`;
      expect(await evaluate(ONE, `[${listed("/srv/sites")}, ${listed("/etc/hostwright")}]`)).toEqual([[one.id], []]);
      for (const { id } of [one, two])
        expect(
          await evaluate(
            ONE,
            `new Promise((resolve, reject) => require("net").connect("/run/hostwright-node/${id}.sock", resolve).on("error", reject))`,
          ),
        ).toBe("ENOENT");
      const owners = `require("fs").readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))
        .map((name) => require("fs").statSync("/proc/" + name).uid)`;
      expect(new Set((await evaluate(ONE, owners)) as number[])).toEqual(new Set([one.uid]));
      expect(await evaluate(ONE, `process.kill(${String(await evaluate(TWO, "process.pid"))}, 0)`)).toBe("EPERM");
    });

    test("its socket is the web server's alone", async () => {
      const asked = async (user: string): Promise<number> =>
        (
          await host.exec(
            ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "curl", "-sf", "-o", "/dev/null"].concat([
              "--unix-socket",
              `/run/hostwright-node/${one.id}.sock`,
              "http://localhost/",
            ]),
          )
        ).code;
      expect(await asked("www-data")).toBe(0);
      expect(await asked(two.id)).not.toBe(0);
    });

    test.each(["8099", '"/tmp/own.sock"', '"\\0abstract"'])("it listens nowhere else: %s", async (where) => {
      const listening = `new Promise((resolve, reject) => require("net").createServer().on("error", reject).listen(${where}, () => resolve("listens")))`;
      expect(await evaluate(ONE, listening)).toBe("EPERM");
    });
  });

  describe("its process", () => {
    const fresh = async (): Promise<void> => expect(await evaluate(ONE, "requests")).toBe(1);

    test("that crashes, or ends by itself, is there for the next request", async () => {
      for (const end of ["process.exit(7)", "process.exit(0)", 'process.kill(process.pid, "SIGKILL")']) {
        expect((await posted(ONE, "/eval", end)).status).toBeGreaterThanOrEqual(500);
        await fresh();
      }
    });

    test("that takes too much memory ends, and is there for the next request", async () => {
      const grow = "(() => { for (;;) kept.push(new Array(1000).fill(Math.random())); })()";
      expect((await posted(ONE, "/eval", grow)).status).toBeGreaterThanOrEqual(500);
      await fresh();
      // The test hosts' kernel holds it only where their control groups are of the new kind.
      expect((await host.sh(`systemctl show -P MemoryMax ${unitOf(one)}.service`)).trim()).toBe(String(192 * 2 ** 20));
    });

    test("that cannot start does not spin, and serves as soon as it can", async () => {
      const main = "/srv/platforms/app/server.js";
      await host.sh(`mv ${main} /root/; systemctl restart ${unitOf(one)}.service`);
      await host.exec(["curl", "-s", "-m", "7", "-H", `Host: ${ONE}`, "http://127.0.0.1/"]);
      const started = `journalctl --no-pager -o cat -u ${unitOf(one)}.service --since -7s | grep -c ^Started || true`;
      expect(Number(await host.sh(started))).toBeLessThan(8);
      await host.sh(`mv /root/server.js ${main}`);
      await expect.poll(async () => (await get("/")).status).toBe(200);
    });

    test("loses no request when it is restarted under load", async () => {
      const asked = `curl -s -m 30 -o /dev/null -w '%{http_code}\\n' -H 'Host: ${ONE}' --data-binary 'new Promise((done) => setTimeout(done, 20))' http://127.0.0.1/eval`;
      const visitors = `rm -f /run/over; for visitor in 1 2 3; do ( until [ -e /run/over ]; do ${asked}; done ) & done; sleep 0.5`;
      const restarts = `for i in 1 2 3 4 5; do systemctl restart ${unitOf(one)}.service; sleep 1; done; touch /run/over; wait; rm /run/over`;
      const codes = (await host.sh(`${visitors}; ${restarts}`)).trim().split("\n");
      expect(codes.length).toBeGreaterThanOrEqual(5);
      expect(codes.filter((code) => code !== "200")).toEqual([]);
    });

    test("has other variables as soon as its site has other services", async () => {
      expect(await evaluate(TWO, "process.env.CACHE_PREFIX")).toBe(`${two.id}:`);
      await hw.run(configure(TWO, { bindings: { cache: null } }));
      expect(await evaluate(TWO, "process.env.CACHE_PREFIX ?? null")).toBe(null);
    });

    test("ends with its site's disabling, and is back when it is enabled", async () => {
      const states = async (): Promise<string> => {
        const units = [`${unitOf(two)}.socket`, `${unitOf(two)}.service`];
        const { stdout } = await host.exec(["systemctl", "is-active", ...units]);
        const { code } = await host.exec(["pgrep", "-U", String(two.uid)]);
        return `${stdout.trim().replaceAll("\n", " ")}, ${code === 0 ? "processes" : "no process"}`;
      };
      await get("/", TWO);
      expect(await states()).toBe("active active, processes");
      await hw.run(disable(TWO));
      expect([(await get("/", TWO)).status, await states()]).toEqual([503, "inactive inactive, no process"]);
      expect((await hw.plan(verify("web1"))).actions).toEqual([]);
      await hw.run(enable(TWO));
      expect(await get("/", TWO)).toMatchObject({ status: 200, title: "hello" });
      expect(await evaluate(TWO, `require("fs").readFileSync(process.env.DATA_DIR + "/secret", "utf8")`)).toBe(MARK);
    });

    test("comes back after a reboot with the first request", async () => {
      await host.reboot();
      expect((await host.exec(["systemctl", "is-active", `${unitOf(one)}.service`])).stdout).toBe("inactive\n");
      expect(await get("/")).toMatchObject({ status: 200, title: "hello" });
    });
  });

  test("deleted, it leaves nothing behind", async () => {
    await hw.run(deleteSite(TWO));
    expect(diffListing(before, await settledListing(host, { ignore: OF_COMMANDS }))).toBe("");
    expect(await get("/")).toMatchObject({ status: 200, title: "hello" });
  });
});
