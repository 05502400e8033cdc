import { mkdir, rm, writeFile, readFile } from "node:fs/promises";
import { createHostwright, verify } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { CommandServer } from "../../packages/core/src/servers/command-server.ts";
import { Session } from "../../packages/service-mysql/src/session.ts";
import { wordpressCodebases } from "../hosts/codebases.ts";
import { startHosts } from "../hosts/hosts.ts";
import { connect } from "../support/estate.ts";
import { recordSites } from "../support/many-sites.ts";

const t0 = performance.now();
const at = () => (performance.now() - t0).toFixed(0).padStart(6);
let log = false;
const orig = CommandServer.prototype.script;
CommandServer.prototype.script = async function (s: any) {
  const a = performance.now();
  const r = await orig.call(this, s);
  if (log) console.log(at(), "script", (performance.now() - a).toFixed(0), "ms", [s.script, ...(s.args ?? [])].map((x: string) => /print "end|IO::Select|sha256sum|systemctl|sysusers|former|diff -rq|generations/.exec(x)?.[0] ?? "").join(" ").trim().slice(0, 100), "out", r.stdout.length, r.stderr.slice(0,3000));
  return r;
};
for (const m of ["query", "run"] as const) {
  const o = (Session.prototype as any)[m];
  (Session.prototype as any)[m] = async function (...x: any[]) {
    const a = performance.now();
    const r = await o.apply(this, x);
    if (log) console.log(at(), "mysql", m, (performance.now() - a).toFixed(0), "ms", m === "query" ? x[0].slice(0, 80) : x[0].length);
    return r;
  };
}
const [cmd, n = "500"] = process.argv.slice(2);
const stateDir = "/tmp/lab-state";
if (cmd === "up") {
  await rm(stateDir, { recursive: true, force: true });
  await mkdir(stateDir, { mode: 0o700 });
  const hosts = await startHosts([{ name: "web1", services: ["mariadb"] }], { keep: true });
  const h = hosts.host("web1");
  await using hw = await createHostwright({ stateDir, plugins: [nginx, phpFpm, mysql, wordpress] });
  await hw.servers.put({ name: "web1", connect: connect(h), services: [nginx.service(), phpFpm.service({ version: "8.4" }), mysql.service()] });
  await writeFile("/tmp/lab-host.json", JSON.stringify({ root: h.root, address: h.address, key: h.privateKey, id: hosts.id }));
  await hw.platforms.put({ name: "wordpress", server: "web1", type: wordpress.platform(), source: { path: (await wordpressCodebases())["6.8"] } });
  await hw.run(verify("@wordpress"));
  await hw.run(verify("@web1"));
}
if (cmd === "add") await recordSites(stateDir, "wordpress", Number(n));
await using hw = await createHostwright({ stateDir, plugins: [nginx, phpFpm, mysql, wordpress] });
if (cmd === "apply" || cmd === "add") {
  log = true;
  const a = performance.now(), c = process.cpuUsage();
  await hw.run(verify("@web1"), { onEvent: (e) => console.log(at(), e.type, JSON.stringify(e.payload).slice(0, 150)) });
  const u = process.cpuUsage(c);
  console.log("APPLY", (performance.now() - a).toFixed(0), "cpu", (u.user + u.system) / 1000);
}
if (cmd === "noop") {
  for (let i = 0; i < Number(process.argv[4] ?? 3); i++) {
    log = i === 2;
    const a = performance.now(), c = process.cpuUsage();
    const p = await hw.plan(verify("@web1"));
    const u = process.cpuUsage(c);
    console.log("NOOP", (performance.now() - a).toFixed(0), "cpu", (u.user + u.system) / 1000, p.empty);
  }
}
