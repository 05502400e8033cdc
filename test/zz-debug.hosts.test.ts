import { setTimeout as delay } from "node:timers/promises";
import { test } from "vitest";
import { verify } from "@hostwright/core";
import { LivingServer } from "./support/living-server.ts";
import { Semaphore } from "../packages/core/src/servers/semaphore.ts";
test("debug", async () => {
  let held = 0, all = 0;
  const acquire = Semaphore.prototype.acquire;
  Semaphore.prototype.acquire = async function (s) { const r = await acquire.call(this, s); if (r === null) return r; held++; all++; return () => { held--; r(); }; };
  await using living = await LivingServer.start({});
  const sh = (s: string) => living.host.sh(s);
  await delay(300); console.log("start", held, all);
  for (let i = 0; i < 12; i++) { await living.hw.plan(verify("first.example.com")); await delay(50); console.log("verify", held, all); }
  for (let i = 0; i < 3; i++) {
  await living.hw.run(living.install("new.example.com"), { onEvent: (event) => {
    if (event.type === "action:started" && /^installer/.test(event.payload.title)) living.gate.while(() => sh("systemctl stop mariadb"));
    if (event.type === "action:failed") void delay(2000).then(() => sh("systemctl start mariadb")).then(() => console.log("started"));
  } }).then(console.log, (e) => console.log("ERR", String(e)));
  await delay(300); console.log("install", held, all);
  }
}, 120000);
