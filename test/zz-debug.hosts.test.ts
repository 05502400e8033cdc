import { setTimeout as delay } from "node:timers/promises";
import { test } from "vitest";
import { LivingServer } from "./support/living-server.ts";
import { SshServer } from "@hostwright/core";
test("debug", async () => {
  await using living = await LivingServer.start({});
  const sh = (s: string) => living.host.sh(s);
  const run = SshServer.prototype.run; const forward = SshServer.prototype.forward;
  let n = 0;
  SshServer.prototype.run = async function (c) { const id = n++; console.log(id, "run", c.argv.slice(0, 3).join(" ").slice(0, 200).replaceAll("\n", " "), c.timeoutMs); try { const r = await run.call(this, c); console.log(id, "->", r.exitCode, r.stderr.slice(0,200)); return r; } catch (e) { console.log(id, "!!", String(e)); throw e; } };
  SshServer.prototype.forward = async function (c) { const id = n++; console.log(id, "forward", JSON.stringify(c)); try { const r = await forward.call(this, c); console.log(id, "->"); return r; } catch (e) { console.log(id, "!!", String(e)); throw e; } };
  const p = living.hw.run(living.install("new.example.com"), { onEvent: (event) => {
    console.log(event.type, JSON.stringify(event.payload).slice(0, 200));
    if (event.type === "action:started" && /^installer/.test(event.payload.title)) living.gate.while(() => sh("systemctl stop mariadb"));
    if (event.type === "action:failed") void delay(2000).then(() => sh("systemctl start mariadb")).then(() => console.log("started"));
  } }).then(console.log, (e) => console.log("ERR", String(e)));
  await Promise.race([p, delay(25000)]);
}, 120000);
