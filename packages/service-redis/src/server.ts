import { directory, file, text, unit, type Declared, type Reference, type ServerView } from "@hostwright/core/plugin";
import { createHash } from "node:crypto";
import type { RedisOptions } from "./options.ts";
import { ACCOUNTS, ADMIN, BASE, COMMANDS, FOLDER, SOCKET, TEMPLATE } from "./places.ts";

const FILL = `umask 077; touch ${ACCOUNTS} && { cat ${BASE} && sed "/^user \\(default\\|${ADMIN}\\|${TEMPLATE}\\) /d" ${ACCOUNTS}; } >${ACCOUNTS}.new && mv ${ACCOUNTS}.new ${ACCOUNTS}`;

/**
 * Given to Debian's own start on its command line, which comes after its file; that file belongs to Redis, and root writes
 * nothing there. The options were parsed: nothing in them needs quoting. A cache is not kept over a restart.
 */
export function renderDropIn({ port, listen, memoryMegabytes }: RedisOptions): string {
  const settings = [
    `--aclfile ${ACCOUNTS}`,
    `--unixsocket ${SOCKET}`,
    // Who may connect is told by name and password; each site has a user of its own and no group with Redis.
    "--unixsocketperm 777",
    `--port ${port}`,
    ["--bind 127.0.0.1 -::1", ...listen].join(" "),
    "--protected-mode no",
    `--maxmemory ${memoryMegabytes}mb`,
    "--maxmemory-policy allkeys-lru",
    '--save ""',
    "--appendonly no",
  ];
  return [
    "# Managed by Hostwright.",
    "[Unit]",
    "Wants=network-online.target",
    "After=network-online.target",
    "[Service]",
    // The folder is bound into running sandboxes: one made anew would be another one.
    "RuntimeDirectoryPreserve=yes",
    // Its accounts are ours at each start, and those of sites as they were.
    `Environment=HOSTWRIGHT_ACCOUNTS=${createHash("sha256").update(COMMANDS).digest("hex")}`,
    // Debian's unit may run nothing but Redis: "+" may, as its user all the same.
    `ExecStartPre=+/usr/bin/setpriv --reuid=redis --regid=redis --clear-groups /bin/sh -c '${FILL}'`,
    "ExecStart=",
    `ExecStart=/usr/bin/redis-server /etc/redis/redis.conf --supervised systemd --daemonize no ${settings.join(" ")}`,
    "",
  ].join("\n");
}

function adminPassword(view: ServerView): Reference {
  return {
    ref: "secret",
    id: `server/${view.id}/redis-admin`,
    label: `redis password of ${view.name}`,
    generate: "password",
  };
}

/** What the cache needs once on a server. */
export function serverResources(view: ServerView): readonly Declared[] {
  const dropIns = "/etc/systemd/system/redis-server.service.d";
  const unused = `user default reset off\nuser ${TEMPLATE} reset off ${COMMANDS}\n`;
  const base = text`${unused}user ${ADMIN} reset on >${adminPassword(view)} ~* &* +@all\n`;
  return [
    directory({ path: "/etc/hostwright", mode: 0o755, shared: true }),
    directory({ path: FOLDER, group: "redis", mode: 0o750 }),
    file({ path: BASE, content: base, group: "redis", mode: 0o640 }),
    directory({ path: dropIns, mode: 0o755 }),
    file({ path: `${dropIns}/hostwright.conf`, content: renderDropIn(view.service.options as RedisOptions) }),
    unit({ name: "redis-server.service", enabled: true, active: true }),
  ];
}
