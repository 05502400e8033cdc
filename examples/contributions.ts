import { configure, install, secret, type Hostwright } from "@hostwright/core";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";
import { redis } from "@hostwright/service-redis";

/** An object cache on the web server, offered to one new site and to one that is there. */
export async function objectCache(hw: Hostwright): Promise<void> {
  await hw.servers.put({
    name: "web1",
    services: [nginx.service(), phpFpm.service(), mysql.service(), redis.service({ memoryMegabytes: 512 })],
  });
  await hw.run(install("new.example.com", { platform: "wp-6.8", bindings: { cache: "web1" } }));
  await hw.run(configure("old.example.com", { bindings: { cache: "web1" } }));
}

/** A site's own web rules, the same for every web server. */
export async function webRules(hw: Hostwright): Promise<void> {
  await hw.sites.setPassword("shop.example.com", "anna", secret("correct horse battery"));
  const plan = await hw.plan(
    configure("shop.example.com", {
      webRules: {
        redirects: [
          { from: { exact: "/old" }, to: "/new", status: 308 },
          { from: { prefix: "/blog/" }, to: "https://blog.example.com/" },
        ],
        headers: [{ name: "Strict-Transport-Security", value: "max-age=31536000" }],
        denied: [{ suffix: ".zip" }, { prefix: "/intern/" }],
        allowFrom: ["10.0.0.0/8", "2001:db8::/32"],
        basicAuth: { realm: "Customers", users: ["anna"] },
      },
    }),
  );
  console.log(plan.render());
  await hw.run(plan);
}
