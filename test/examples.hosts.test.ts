import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createHostwright, deleteSite, install, secret, ssh, verify } from "@hostwright/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exampleHttp } from "../examples/plugins/http.ts";
import { examplePhp } from "../examples/plugins/php.ts";
import { examplePostgres } from "../examples/plugins/database.ts";
import { guestbook } from "../examples/plugins/platform.ts";
import { noteOn, notes } from "../examples/plugins/task.ts";
import { fetchFrom } from "../demo/fetch.ts";
import { wordpressCodebases } from "./hosts/codebases.ts";
import { startHosts, type TestHost, type TestHosts } from "./hosts/hosts.ts";

let hosts: TestHosts;
let folder: string;
const examples = resolve(import.meta.dirname, "../examples");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostwright-examples-"));
  hosts = await startHosts([{ name: "first" }, { name: "own" }]);
});

afterAll(async () => {
  await hosts?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function runScript(
  path: string,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, ["--conditions=@hostwright/source", path], { cwd: folder });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((done) => child.once("close", done));
  return { code, stdout, stderr };
}

/** The example with this run's host, key and codebase; each literal must be there to be replaced. */
async function filledIn(host: TestHost): Promise<string> {
  const values: Readonly<Record<string, string>> = {
    "web1.example": host.address,
    "SHA256:1w3bXZ0kq8vJ6mT5cR2yN7pL4dF9hG1sA0eUoIiKxQs": host.hostKey,
    "/srv/wordpress": (await wordpressCodebases())["6.8"],
  };
  let source = await readFile(join(examples, "first-site.ts"), "utf8");
  for (const [placeholder, value] of Object.entries(values)) {
    expect(source).toContain(placeholder);
    source = source.replace(placeholder, value);
  }
  return source;
}

test("the first lines of the README install a site", async () => {
  const host = hosts.host("first");
  const script = join(examples, `.first-site-${process.pid}.ts`);
  await writeFile(join(folder, "id_ed25519"), host.privateKey, { mode: 0o600 });
  await writeFile(script, await filledIn(host));
  try {
    const { code, stdout, stderr } = await runScript(script);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("+ unix-user s");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("http://example.com/");
  } finally {
    await rm(script, { force: true });
  }
  expect((await fetchFrom(host.address, "http://example.com/")).status).toBe(200);
});

test("a site on the example plugins is installed, answers, stands as recorded and goes without a trace", async () => {
  const host = hosts.host("own");
  await using hw = await createHostwright({
    stateDir: join(folder, "own"),
    plugins: [exampleHttp, examplePhp, examplePostgres, guestbook, notes],
  });
  const { address, hostKey, privateKey } = host;
  await hw.servers.put({
    name: "own",
    connect: ssh({ host: address, hostKey, privateKey: secret(privateKey) }),
    services: [exampleHttp.service(), examplePhp.service(), examplePostgres.service()],
  });
  const source = { path: join(examples, "guestbook") };
  await hw.platforms.put({ name: "guestbook-1", server: "own", type: guestbook.platform(), source });
  const greeting = `It's <"\\$x`;
  const request = install("book.example.com", { platform: "guestbook-1", options: guestbook.site({ greeting }) });
  const { url } = await hw.run(request);
  expect(url).toBe("http://book.example.com/");

  const page = await fetchFrom(address, "http://book.example.com/");
  expect([page.status, page.title]).toEqual([200, "It&#039;s &lt;&quot;\\$x"]);
  expect((await fetchFrom(address, "http://book.example.com/config.php")).status).toBe(404);
  expect((await fetchFrom(address, "http://book.example.com/notes.txt")).status).toBe(404);
  expect((await hw.plan(verify("own"))).actions).toEqual([]);
  expect((await hw.plan(request)).actions).toEqual([]);

  expect((await hw.run(noteOn("own", 'it\'s "here"'))).server).toBe("own");
  expect(await host.sh("cut -d' ' -f2- /var/log/hostwright-notes")).toBe('it\'s "here"\n');

  const { id } = await hw.sites.get("book.example.com");
  await hw.run(deleteSite("book.example.com"));
  expect(await host.sh(`ls /srv/sites /run/example-php; getent passwd ${id} || true`)).not.toContain(id);
  expect(await host.sh("runuser -u postgres -- psql -XAtc 'SELECT datname FROM pg_database'")).not.toContain(id);
});
