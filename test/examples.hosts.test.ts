import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile, appendFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  configure,
  createHostwright,
  deleteSite,
  install,
  secret,
  ssh,
  verify,
  type Hostwright,
} from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exampleHttp } from "../examples/plugins/http.ts";
import { examplePhp } from "../examples/plugins/php.ts";
import { examplePostgres } from "../examples/plugins/database.ts";
import { guestbook } from "../examples/plugins/platform.ts";
import { exampleSessions } from "../examples/plugins/sessions.ts";
import { notices, showNotice } from "../examples/plugins/notice.ts";
import { noteOn, notes } from "../examples/plugins/task.ts";
import { fetchFrom } from "../demo/fetch.ts";
import { wordpressCodebases } from "./hosts/codebases.ts";
import { startHosts, type TestHost, type TestHosts } from "./hosts/hosts.ts";
import { diffListing } from "./hosts/listing.ts";
import { settledListing } from "./support/listing.ts";
import { page } from "./support/page.ts";

let hosts: TestHosts;
let folder: string;
const examples = resolve(import.meta.dirname, "../examples");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostwright-examples-"));
  const packages = ["memcached"];
  hosts = await startHosts([{ name: "first" }, { name: "own", packages }, { name: "kept", packages }]);
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

/** The example plugins on a host, with the guestbook as a platform. */
async function exampleServer(host: TestHost, source: string): Promise<Hostwright> {
  const { name, address, hostKey, privateKey } = host;
  const hw = await createHostwright({
    stateDir: join(folder, name),
    plugins: [exampleHttp, examplePhp, examplePostgres, exampleSessions, guestbook, notes, notices],
  });
  await hw.servers.put({
    name,
    connect: ssh({ host: address, hostKey, privateKey: secret(privateKey) }),
    services: [
      exampleHttp.service(),
      examplePhp.service(),
      examplePostgres.service(),
      exampleSessions.service({ megabytes: 8 }, "store"),
    ],
  });
  await hw.platforms.put({ name: "guestbook-1", server: name, type: guestbook.platform(), source: { path: source } });
  return hw;
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
  await using hw = await exampleServer(host, join(examples, "guestbook"));
  const greeting = `It's <"\\$x`;
  const request = install("book.example.com", { platform: "guestbook-1", options: guestbook.site({ greeting }) });
  const { url } = await hw.run(request);
  expect(url).toBe("http://book.example.com/");

  const front = await fetchFrom(host.address, "http://book.example.com/");
  expect([front.status, front.title]).toEqual([200, "It&#039;s &lt;&quot;\\$x"]);
  expect((await fetchFrom(host.address, "http://book.example.com/config.php")).status).toBe(404);
  expect((await fetchFrom(host.address, "http://book.example.com/notes.txt")).status).toBe(404);
  expect((await hw.plan(verify("own"))).actions).toEqual([]);
  expect((await hw.plan(request)).actions).toEqual([]);

  expect((await hw.run(noteOn("own", 'it\'s "here"'))).server).toBe("own");
  expect(await host.sh("cut -d' ' -f2- /var/log/hostwright-notes")).toBe('it\'s "here"\n');

  const notice = async () => (await fetchFrom(host.address, "http://notice.example.com/")).body;
  await hw.run(showNotice("own", "Back at 12:00."));
  expect(await notice()).toBe("Back at 12:00.\n");
  expect((await hw.plan(showNotice("own", "Back at 12:00."))).empty).toBe(true);
  await hw.run(showNotice("own", null));
  expect(await notice()).not.toContain("Back at");
  await hw.run(showNotice("own", "Back at 13:00."));
  expect(await notice()).toBe("Back at 13:00.\n");
  await hw.run(verify("own"));
  expect(await notice()).not.toContain("Back at");

  const { id } = await hw.sites.get("book.example.com");
  await hw.run(deleteSite("book.example.com"));
  expect(await host.sh(`ls /srv/sites /run/example-php; getent passwd ${id} || true`)).not.toContain(id);
  expect(await host.sh("runuser -u postgres -- psql -XAtc 'SELECT datname FROM pg_database'")).not.toContain(id);
});

describe("a site that is bound to a kind of service of a plugin's own", () => {
  const [OWN, NEIGHBOUR] = ["own.example.com", "neighbour.example.com"];
  const bindings = { sessions: "kept:store" };
  /** Tries a socket from the site's own code, in its sandbox. */
  const PROBE = `<?php
if (isset($_GET['reach'])) {
    [$socket, $seen] = [@stream_socket_client('unix://' . $_GET['reach']), glob('/run/example-sessions-*')];
    echo json_encode(['reached' => $socket !== false, 'seen' => $seen]);
}
`;
  let hw: Hostwright;
  let host: TestHost;
  let without: string;

  beforeAll(async () => {
    host = hosts.host("kept");
    const source = join(folder, "probed");
    await cp(join(examples, "guestbook"), source, { recursive: true });
    await appendFile(join(source, "index.php"), PROBE);
    hw = await exampleServer(host, source);
    await hw.run(install(NEIGHBOUR, { platform: "guestbook-1", bindings }));
    without = await settled();
  });

  afterAll(async () => {
    await hw?.[Symbol.asyncDispose]();
  });

  /** Without the number of the web server's last generation, which only counts up. */
  const settled = async (): Promise<string> =>
    (await settledListing(host))
      .split("\n")
      .filter((line) => !line.includes("/etc/hostwright/example-http/last"))
      .join("\n");
  const visits = async (): Promise<string | undefined> => {
    const { status, body } = await page(host, OWN, "/");
    expect([status, body]).toEqual([200, expect.stringContaining("<h1>Visitor ")]);
    return /today: (\d+)</.exec(body)?.[1];
  };
  const idOf = async (domain: string): Promise<string> => (await hw.sites.get(domain)).id;
  const folderOf = async (domain: string): Promise<string> => `/run/example-sessions-${await idOf(domain)}`;
  const reach = async (from: string, to: string): Promise<unknown> => {
    const { body } = await page(host, from, `/?reach=${await folderOf(to)}/memcached.sock`);
    return JSON.parse(body.slice(body.indexOf("{")));
  };
  /** What the site has of that service, by name. */
  const traces = async (id: string): Promise<string> =>
    host.sh(`ls -d /run/*${id}* /run/private/*${id}* /etc/systemd/system/example-sessions-${id}* 2>/dev/null || true
      systemctl list-units --all --plain --no-legend "example-sessions-${id}*"`);

  test("leaves nothing where its service cannot be started, and a second try is whole", async () => {
    await host.sh("chmod a-x /usr/bin/memcached");
    const task = hw.run(install(OWN, { platform: "guestbook-1", bindings }));
    await expect(task).rejects.toMatchObject({ data: { state: "undone" } });
    await host.sh("chmod a+x /usr/bin/memcached");
    expect(diffListing(without, await settled())).toBe("");
    expect(await hw.check()).toEqual([]);
    await hw.run(install(OWN, { platform: "guestbook-1", bindings }));
    expect((await hw.sites.get(OWN)).bindings["sessions"]).toMatchObject({ service: "store" });
  });

  test("keeps there what its pages show, over a crash of the service too, and stands as recorded", async () => {
    const first = Number(await visits());
    expect(await visits()).toBe(String(first + 1));
    const unit = `example-sessions-${await idOf(OWN)}.service`;
    await host.sh(`systemctl kill --signal=KILL ${unit}`);
    await expect.poll(async () => host.sh(`systemctl is-active ${unit} || true`)).toBe("active\n");
    await expect.poll(async () => (await page(host, OWN, "/")).status).toBe(200);
    expect(Number(await visits())).toBeLessThanOrEqual(first + 1);
    for (const alias of [OWN, "kept"]) expect((await hw.plan(verify(alias))).actions).toEqual([]);
    expect(await hw.check()).toEqual([]);
  });

  test("is out of reach of its neighbour, which sees its own alone", async () => {
    expect(await reach(OWN, OWN)).toEqual({ reached: true, seen: [await folderOf(OWN)] });
    expect(await reach(NEIGHBOUR, OWN)).toEqual({ reached: false, seen: [await folderOf(NEIGHBOUR)] });
  });

  test("answers on without it when it is taken away, and has it again when it is given back", async () => {
    const id = await idOf(OWN);
    await hw.run(configure(OWN, { bindings: { sessions: null } }));
    expect([await visits(), await traces(id)]).toEqual([undefined, ""]);
    expect((await hw.plan(verify("kept"))).actions).toEqual([]);
    await hw.run(configure(OWN, { bindings }));
    expect(Number(await visits())).toBeGreaterThan(0);
    expect((await hw.plan(verify("kept"))).actions).toEqual([]);
  });

  test("takes it along when it is deleted", async () => {
    await hw.run(deleteSite(OWN));
    expect(diffListing(without, await settled())).toBe("");
    expect((await hw.plan(verify("kept"))).actions).toEqual([]);
    expect(await hw.check()).toEqual([]);
  });
});
