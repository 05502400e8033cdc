import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createHostwright,
  install,
  isHostwrightError,
  prepare,
  secret,
  ssh,
  verify,
  type Residue,
} from "@hostwright/core";
import { phpFpm } from "@hostwright/service-php-fpm";
import { startHosts, type TestHost } from "../test/hosts/hosts.ts";
import { CHOICES } from "./choices.ts";
import { fetchFrom } from "./fetch.ts";
import { parseOptions, type DemoOptions } from "./options.ts";
import { demoPlatform } from "./platforms.ts";
import { ownMilliseconds, Progress } from "./progress.ts";

const DOMAIN = "example.com";

function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

function connect(host: TestHost): ReturnType<typeof ssh> {
  return ssh({
    host: host.address,
    port: host.port,
    user: host.user,
    hostKey: host.hostKey,
    privateKey: secret(host.privateKey),
  });
}

async function demo(options: DemoOptions): Promise<void> {
  const code = await demoPlatform(options.platform);
  const http = CHOICES.http[options.http];
  const { plugin: database, runs } = CHOICES.db[options.db];
  say("Booting two hosts, web1 and db1 ...");
  const hosts = await startHosts([{ name: "web1" }, { name: "db1", services: [runs] }], { keep: options.keep });
  const stateDir = await mkdtemp(join(tmpdir(), "hostwright-demo-"));
  try {
    await using hw = await createHostwright({
      stateDir,
      plugins: [http, phpFpm, database, CHOICES.platform[options.platform]],
    });
    const [web1, db1] = [hosts.host("web1"), hosts.host("db1")];
    await hw.servers.put({
      name: "web1",
      connect: connect(web1),
      services: [http.service(), phpFpm.service({ version: "8.4" })],
    });
    await hw.servers.put({
      name: "db1",
      connect: connect(db1),
      services: [database.service({ listen: [db1.address] })],
    });
    await hw.platforms.put({ name: code.name, server: "web1", type: code.platform, source: { path: code.source } });

    say("Preparing them over SSH, and publishing the platform ...");
    await Promise.all([hw.run(prepare("web1")), hw.run(prepare("db1"))]);
    await hw.run(verify(code.name));

    const request = install(DOMAIN, {
      platform: code.name,
      options: code.site,
      title: "Hello from Hostwright",
      aliases: [`www.${DOMAIN}`],
    });
    const started = performance.now();
    const plan = await hw.plan(request);
    say(plan.render());

    const progress = new Progress(say);
    const value = await hw.run(plan, { onEvent: (event) => progress.show(event) });
    const seconds = Math.round(performance.now() - started) / 1000;
    const ownMs = Math.round(ownMilliseconds(seconds * 1000, plan.actions, progress.milliseconds));

    const page = await fetchFrom(web1.address, `http://${DOMAIN}/`);
    say();
    say(`http://${DOMAIN}/ answers ${page.status}: "${page.title}"`);
    say(`installed in ${seconds} s, ${ownMs} ms of it Hostwright's own (all but file copy and installer)`);
    const link = value.loginLink?.reveal() ?? "";
    const login = await fetchFrom(web1.address, link);
    say(`login link: ${link}`);
    say(
      `  following it answers ${login.status} and ${login.loggedIn ? "logs the administrator in" : "does NOT log in"}`,
    );
    if (page.status !== 200 || !login.loggedIn) process.exitCode = 1;

    const again = performance.now();
    const second = await hw.plan(verify(DOMAIN));
    const verifyMs = Math.round(performance.now() - again);
    say(`a second plan has ${second.actions.length} actions, made in ${verifyMs} ms`);
    if (!second.empty) {
      say(second.render());
      process.exitCode = 1;
    }
    const stats = await hw.connections();
    const connections = stats.reduce((sum, server) => sum + server.stats.connections, 0);
    for (const { name, stats: counts } of stats) {
      say(`${name}: ${counts.connections} connection, ${counts.roundTrips} round trips in all`);
    }
    if (options.keep) keepNotice(web1, stateDir);
    if (options.json) {
      const { status, title } = page;
      const url = `http://${DOMAIN}/`;
      say(
        JSON.stringify({
          url,
          status,
          title,
          seconds,
          ownMs,
          verifyMs,
          secondPlanActions: second.actions.length,
          connections,
        }),
      );
    }
  } finally {
    if (!options.keep) {
      await hosts.stop();
      await rm(stateDir, { recursive: true, force: true });
    }
  }
}

function keepNotice(web: TestHost, stateDir: string): void {
  say();
  say("Left running. Look at it:");
  say(`  curl -H 'Host: ${DOMAIN}' http://${web.address}/`);
  say(`  state: ${stateDir}`);
  say("  npm run hosts -- status      npm run hosts -- down");
}

function residueOf(data: Readonly<Record<string, unknown>>): readonly Residue[] {
  return (data["residue"] as readonly Residue[] | undefined) ?? [];
}

try {
  await demo(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (isHostwrightError(error)) {
    process.stderr.write(`\n${error.code}: ${error.message}\n${error.output ?? ""}\nNext: ${error.remedy}\n`);
    for (const { server, key, reason } of residueOf(error.data))
      process.stderr.write(`left on ${server}: ${key}: ${reason}\n`);
  } else {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  }
  process.exitCode = 1;
}
