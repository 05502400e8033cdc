import { sh, testHosts, type CacheSubject } from "@hostwright/testing";
import { redis } from "../src/index.ts";
import { ACCOUNTS, ADMIN, BASE, SOCKET } from "../src/places.ts";

/** Shell: lines for Redis' own command line, said by the administrator. */
const asAdmin = (...commands: readonly string[]): string =>
  `{ sed -n 's/^user ${ADMIN} .*>\\([^ ]*\\) .*/AUTH ${ADMIN} \\1/p' ${BASE}; printf '%s\\n' ${commands.map((command) => `'${command}'`).join(" ")}; } | redis-cli -s ${SOCKET} | sed 1d`;

/** Redis, judged by its own command line. */
export const subject: CacheSubject = {
  plugin: redis,
  harness: testHosts(),
  options: (address) => ({ listen: [address] }),
  async login(from, { host, port, socket, user }, password, statement) {
    const where = socket === null ? ["-h", host, "-p", String(port)] : ["-s", socket];
    const { stdout, stderr } = await from.exec(["redis-cli", ...where, "--user", user, "--no-auth-warning"], {
      env: { REDISCLI_AUTH: password },
      input: `${statement}\n`,
    });
    return { ok: !/^(?:AUTH failed|Could not connect|[A-Z]+ )/m.test(stdout + stderr), text: stdout + stderr };
  },
  snapshot: async (host) =>
    sh(
      host,
      `${asAdmin("ACL LIST")} | grep -v "^user ${ADMIN} " | sort
      sed -n '/^user s/s/ -@all.*//p' ${ACCOUNTS} | sort
      ${asAdmin("KEYS *")} | sort`,
    ),
  drifts: (id) => [
    { what: "every key", script: asAdmin(`ACL SETUSER ${id} ~*`, "ACL SAVE") },
    { what: "every command", script: asAdmin(`ACL SETUSER ${id} +@all`, "ACL SAVE") },
    { what: "one command more", script: asAdmin(`ACL SETUSER ${id} +scan`, "ACL SAVE") },
    { what: "every channel", script: asAdmin(`ACL SETUSER ${id} allchannels`, "ACL SAVE") },
    { what: "another password beside it", script: asAdmin(`ACL SETUSER ${id} >other`, "ACL SAVE") },
    { what: "no password", script: asAdmin(`ACL SETUSER ${id} nopass`, "ACL SAVE") },
    { what: "a closed login", script: asAdmin(`ACL SETUSER ${id} off`, "ACL SAVE") },
    { what: "an account that is gone", script: asAdmin(`ACL DELUSER ${id}`, "ACL SAVE") },
  ],
  forbidden: (other) => [
    `DEL ${other}:kept`,
    `COPY ${other}:kept mine`,
    "KEYS *",
    "SCAN 0",
    "RANDOMKEY",
    "DBSIZE",
    "FLUSHALL",
    "FLUSHDB",
    "SWAPDB 0 1",
    `EVAL "return redis.call('get','${other}:kept')" 0`,
    "CONFIG GET *",
    "ACL LIST",
    `ACL SETUSER ${other} nopass`,
    "CLIENT LIST",
    "INFO",
    "SHUTDOWN NOSAVE",
    "REPLICAOF 127.0.0.1 1",
    `PUBLISH ${other}:x y`,
  ],
  put: (key, text) => `SET ${key} "${text}"`,
  get: (key) => `GET ${key}`,
  refused: /NOPERM|NOAUTH|WRONGPASS/,
  logs: "journalctl --no-pager -u redis-server; cat /var/log/redis/*.log",
  stop: "systemctl stop redis-server.service",
  start: "systemctl start redis-server.service",
};
