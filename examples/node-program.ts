import { install, local, type Hostwright } from "@hostwright/core";
import { nodeApp } from "@hostwright/platform-node";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { node } from "@hostwright/service-node";
import { redis } from "@hostwright/service-redis";

/** A site that is a program of Node.js, with a database and a cache. */
export async function shop(hw: Hostwright): Promise<void> {
  await hw.servers.put({
    name: "web1",
    connect: local(),
    services: [nginx.service(), node.service(), mysql.service(), redis.service()],
  });
  await hw.platforms.put({
    name: "shop-1.4",
    server: "web1",
    type: nodeApp.platform({ main: "dist/server.js" }),
    source: { path: "/srv/shop" },
  });
  await hw.run(install("example.com", { platform: "shop-1.4", bindings: { db: "web1", cache: "web1" } }));
}
