import { install } from "@hostwright/core";
import { wordpressApp } from "./apps.ts";
import { putPlatform, startEstate } from "./estate.ts";
const app = await wordpressApp("6.8");
await using estate = await startEstate("one host");
const { hw, web } = estate;
await putPlatform(estate, app);
await hw.run(install("s0.example.com", { platform: app.name, options: app.site }));
{
const t0 = Date.now();
await using _w = hw.work({ concurrency: 4 });
const tasks = await Promise.all(Array.from({length:24},(_,i)=>i+1).map((n) => hw.submit(install(`s${n}.example.com`, { platform: app.name, options: app.site }))));
for (const t of tasks) { const o = await t.outcome(); console.log(o.state, o.error?.message ?? ""); }
console.log(Date.now() - t0, await web.sh("mariadb -e 'show processlist'"));
}
