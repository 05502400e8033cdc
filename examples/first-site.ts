import { readFile } from "node:fs/promises";
import { createHostwright, install, prepare, secret, ssh } from "@hostwright/core";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";

await using hw = await createHostwright({ stateDir: "./state", plugins: [nginx, phpFpm, mysql, wordpress] });

const privateKey = secret(await readFile("./id_ed25519", "utf8"));
const connect = ssh({
  host: "web1.example",
  hostKey: "SHA256:1w3bXZ0kq8vJ6mT5cR2yN7pL4dF9hG1sA0eUoIiKxQs",
  privateKey,
});
await hw.servers.put({ name: "web1", connect, services: [nginx.service(), phpFpm.service(), mysql.service()] });
await hw.platforms.put({
  name: "wp-6.8",
  server: "web1",
  type: wordpress.platform(),
  source: { path: "/srv/wordpress" },
});

await hw.run(prepare("web1")); // installs the missing Debian packages
const plan = await hw.plan(install("example.com", { platform: "wp-6.8" }));
console.log(plan.render()); // every action with its real diff; nothing of the site was touched yet
const { url } = await hw.run(plan);
console.log(url);
