import { createHostwright, local, secret, ssh, type Hostwright } from "@hostwright/core";
import { drupal } from "@hostwright/platform-drupal";
import { wordpress } from "@hostwright/platform-wordpress";
import { mysql } from "@hostwright/service-mysql";
import { nginx } from "@hostwright/service-nginx";
import { phpFpm } from "@hostwright/service-php-fpm";

const hostKey = "SHA256:1w3bXZ0kq8vJ6mT5cR2yN7pL4dF9hG1sA0eUoIiKxQs";

/** Web server and database on two machines. */
export async function twoServers(hw: Hostwright, privateKey: string): Promise<void> {
  const key = secret(privateKey);
  await hw.servers.put({
    name: "web1",
    connect: ssh({ host: "10.0.0.4", hostKey, privateKey: key }),
    services: [nginx.service({ httpPort: 80 }), phpFpm.service({ version: "8.4", maxIdleMinutes: 10 })],
  });
  await hw.servers.put({
    name: "db1",
    connect: ssh({ host: "10.0.0.5", hostKey, privateKey: key }),
    services: [mysql.service({ listen: ["10.0.0.5"] })],
  });
}

/** Everything on the machine that Hostwright itself runs on, as root. */
export async function oneMachine(hw: Hostwright): Promise<void> {
  await hw.servers.put({
    name: "here",
    connect: local(),
    services: [nginx.service(), phpFpm.service(), mysql.service()],
  });
}

export async function codebases(hw: Hostwright): Promise<void> {
  await hw.platforms.put({
    name: "wp-6.8",
    server: "web1",
    type: wordpress.platform(),
    source: { path: "/srv/wordpress" },
  });
  await hw.platforms.put({
    name: "drupal-11",
    server: "web1",
    type: drupal.platform(),
    source: { path: "/srv/drupal" },
  });
}

/** The key of the state may lie elsewhere, here in an environment variable. */
export async function keyElsewhere(): Promise<Hostwright> {
  return createHostwright({
    stateDir: "/var/lib/hostwright-hub",
    plugins: [nginx, phpFpm, mysql, wordpress, drupal],
    key: { env: "HOSTWRIGHT_KEY" },
    uids: { from: 30_000, to: 39_999 },
  });
}
