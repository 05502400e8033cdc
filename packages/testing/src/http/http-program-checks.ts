import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import { MEMBERS, type HttpBench } from "./http-bench.ts";
import { PROGRAM_SOCKET } from "./http-program.ts";
import { location } from "./http-table.ts";

const told = (body: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...body.matchAll(/^([a-z-]+): (.*)$/gm)].map(([, name = "", value = ""]) => [name, value]));

/** Bytes of bodies around the limit of the sample sites, one MiB. */
const [TAKEN, REFUSED] = [1_000_000, 1_200_000];
const CHUNKED = ["-H", "Transfer-Encoding: chunked"];

/** The answer to a body of so many bytes, and how many of them the program had. */
async function sent(
  bench: HttpBench,
  bytes: number,
  flags: readonly string[] = [],
): Promise<readonly [status: number, had: number]> {
  await sh(bench.host, `head -c ${bytes} /dev/zero > /tmp/body`);
  const common = ["-X", "POST", "-H", "Expect:", "--data-binary", "@/tmp/body"];
  const { status, body } = await bench.get("program.test", "/", ...common, ...flags);
  return [status, Number(told(body)["body"])];
}

/** What a web server owes to a site whose program speaks HTTP. */
export const programChecks: readonly Check<HttpBench>[] = [
  {
    name: "what is no file goes to the site's program, with its URL as the visitor wrote it",
    async run(bench) {
      for (const path of ["/", "/a/b?c=d", "/a%2Fb%20c%3F?d=e%26f&g", "/%E2%82%AC/", "/a//b/c..d", "/a;b=c"]) {
        const { status, body } = await bench.get("program.test", path);
        assert.deepEqual([status, body.split("\n")[0]], [200, `GET ${path}`]);
      }
      for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
        const { body } = await bench.get("program.test", "/a", "-X", method, "--data-binary", "x");
        assert.equal(body.split("\n")[0], `${method} /a`);
      }
    },
  },
  {
    name: "a program learns who asked for which name, and nothing that a visitor makes up",
    async run(bench) {
      const forged = [
        "X-Forwarded-For: 192.0.2.66",
        "X-Forwarded-Host: evil.test",
        "X-Forwarded-Proto: https",
        "Proxy: x",
      ];
      const flags = forged.flatMap((header) => ["-H", header]);
      const { body } = await bench.get("program.test", "/", ...flags, "-H", "Authorization: Bearer own");
      assert.deepEqual(told(body), {
        host: "program.test",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "program.test",
        "x-forwarded-proto": "http",
        proxy: "-",
        authorization: "Bearer own",
        body: "0",
      });
    },
  },
  {
    name: "files of a program's release are served without it, and what is closed is not asked of it",
    async run(bench) {
      const style = await bench.get("program.test", "/style.css");
      assert.deepEqual([style.status, style.body], [200, "release\n"]);
      assert.match(style.headers, /^cache-control:.*max-age=86400/im);
      for (const path of ["/.env", "/.git/config", "/vendor/autoload.txt", "/evil.php", "/index.php/a", "/dump.sql"])
        assert.equal((await bench.get("program.test", path)).status, 404, path);
    },
  },
  {
    name: "a body reaches the program whole, and one beyond the limit is refused",
    async run(bench) {
      assert.deepEqual(await sent(bench, TAKEN), [200, TAKEN]);
      assert.deepEqual(await sent(bench, TAKEN, CHUNKED), [200, TAKEN]);
      assert.equal((await sent(bench, REFUSED))[0], 413);
    },
  },
  {
    name: "a body beyond the limit is refused also where its length is not told before",
    needs: "unknownLength",
    async run(bench) {
      assert.equal((await sent(bench, REFUSED, CHUNKED))[0], 413);
    },
  },
  {
    name: "what the rules are asked about and what a program gets are one URL: one with dot segments is not passed on",
    async run(bench) {
      const [user = "", password = ""] = Object.entries(MEMBERS)[0] ?? [];
      const login = ["-u", `${user}:${password}`];
      for (const path of [
        "/closed/a/../../b",
        "/closed/a/%2e%2e/%2E%2E/b",
        "/closed/a/..%2f..%2Fb",
        "/closed/../b/.",
      ]) {
        const { status, body } = await bench.get("members.test", path, ...login);
        assert.ok(status >= 400 && status < 500 && !body.startsWith("GET"), `${status}: ${path}`);
      }
      for (const sign of ["?", "#"]) {
        const target = ["--request-target", `http://members.test${sign}/closed/a`];
        const { body } = await bench.get("members.test", "/", ...login, ...target);
        assert.doesNotMatch(body, /^GET \/closed/, sign);
      }
    },
  },
  {
    name: "a site's own rules stand before its program: a password that it does not learn, headers, refusals, redirects",
    async run(bench) {
      const [user = "", password = ""] = Object.entries(MEMBERS)[0] ?? [];
      const login = ["-u", `${user}:${password}`];
      assert.equal((await bench.get("members.test", "/")).status, 401);
      assert.equal((await bench.get("members.test", "/", "-u", `${user}:wrong`)).status, 401);
      const { status, headers, body } = await bench.get("members.test", "/a", ...login);
      assert.deepEqual([status, told(body)["authorization"]], [200, "-"]);
      assert.deepEqual(
        [...headers.matchAll(/^x-app: (.*)\r$/gim)].map(([, value]) => value),
        ["own"],
      );
      assert.equal((await bench.get("members.test", "/closed/a", ...login)).status, 404);
      const moved = await bench.get("members.test", "/old%20page", ...login);
      assert.deepEqual(
        [moved.status, location(moved, "http://members.test/")],
        [301, "http://members.test/new%20page"],
      );
    },
  },
  {
    name: "a connection to a program is upgraded, as a web socket's is",
    async run(bench) {
      const port = bench.definition.role.port(bench.view);
      const asked =
        "GET /live HTTP/1.1\\r\\nHost: program.test\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n";
      const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf '${asked}' >&3; sleep 1; echo hello >&3; timeout 5 cat <&3`;
      const { stdout } = await bench.host.exec(["bash", "-c", script]);
      assert.match(stdout, /^HTTP\/1\.1 101 /);
      assert.match(stdout, /\r\n\r\nhello\n$/);
    },
  },
  {
    name: "a program that is away is its own site's trouble, and is asked again as soon as it is back",
    async run(bench) {
      await sh(bench.host, `mv ${PROGRAM_SOCKET} ${PROGRAM_SOCKET}.away`);
      try {
        const { status } = await bench.get("program.test", "/");
        assert.ok([502, 503, 504].includes(status), String(status));
      } finally {
        await sh(bench.host, `mv ${PROGRAM_SOCKET}.away ${PROGRAM_SOCKET}`);
      }
      assert.equal((await bench.get("wordpress.test", "/style.css")).status, 200);
      assert.equal((await bench.get("program.test", "/")).status, 200);
    },
  },
];
