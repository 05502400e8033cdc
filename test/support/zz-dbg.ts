import { install } from "@hostwright/core";
import { wordpressApp } from "./apps.ts";
import { putPlatform, startEstate } from "./estate.ts";
const app = await wordpressApp("6.8");
await using estate = await startEstate("one host");
const { hw, web } = estate;
await putPlatform(estate, app);
await hw.run(install("s0.example.com", { platform: app.name, options: app.site }));
await using _w = hw.work({ concurrency: 4 });
const tasks = await Promise.all(Array.from({length:24},(_,i)=>i+1).map((n) => hw.submit(install(`s${n}.example.com`, { platform: app.name, options: app.site }))));
let shown = false;
await Promise.all(tasks.map(async (t) => { for await (const e of t.events()) { 
  if (e.type === "action:failed") { console.log(e.payload.message); const unit = /hostwright-php-\w+\.\w+/.exec(e.payload.message)?.[0]; if (unit && !shown) { shown = true; console.log(await web.sh(`systemctl show ${unit} --timestamp=us+utc -p LoadState,UnitFileState,ActiveState,NeedDaemonReload,FragmentPath,DropInPaths,ActiveEnterTimestamp,Triggers; stat -L /etc/systemd/system/${unit}; date -u +%T.%N; journalctl -n 40 -o short-precise | grep -v php-fpm`)); } }
  if (e.type === "task:finished") { console.log(t.id, e.payload.state); break; } } }));
