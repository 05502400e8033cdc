import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { secret, type SshServerOptions } from "@hostwright/core";
import { databaseConformance, sh, sshHarness, type DatabaseSubject } from "@hostwright/testing";
import { examplePostgres } from "./database.ts";

const psql = (statement: string): string => `runuser -u postgres -- psql -q -X -At -c "${statement}"`;

const machine = (name: string, host: string, hostKey: string): SshServerOptions => ({
  name,
  host,
  hostKeys: [hostKey],
  privateKey: secret(readFileSync(process.env["TEST_KEY"] ?? "test-key", "utf8")),
});

const harness = sshHarness({
  machines: [
    machine("db", "192.0.2.21", process.env["TEST_DB_KEY"] ?? ""),
    machine("web", "192.0.2.22", process.env["TEST_WEB_KEY"] ?? ""),
  ],
  // Virtual machines with a snapshot that has all packages.
  reset: async (machines) => {
    for (const { name } of machines) await promisify(execFile)("virsh", ["snapshot-revert", name, "fresh"]);
  },
});

const subject: DatabaseSubject = {
  plugin: examplePostgres,
  harness,
  options: () => ({}),
  async login(from, { host, port, name, user }, password, statement) {
    const argv = ["psql", "-qXAtw", "-h", host, "-p", String(port ?? 5432), "-U", user, "-d", name, "-c", statement];
    const { code, stdout, stderr } = await from.exec(argv, { env: { PGPASSWORD: password } });
    return { ok: code === 0, text: code === 0 ? stdout : stderr };
  },
  snapshot: async (host) =>
    sh(
      host,
      `runuser -u postgres -- pg_dumpall -g | grep -v restrict; ${psql("SELECT * FROM pg_database ORDER BY 1")}`,
    ),
  drifts: (id) => [{ what: "another owner", script: psql(`ALTER DATABASE ${id} OWNER TO postgres`) }],
  forbidden: (other) => ["CREATE ROLE bad", `DROP DATABASE ${other}`],
  refused: /permission denied|authentication failed|must be/,
  logs: "cat /var/log/postgresql/*.log",
  stop: "systemctl stop postgresql@17-main.service",
  start: "systemctl start postgresql@17-main.service",
  lacking: { hostRestriction: "it serves sites on its own machine only" },
};

databaseConformance(subject);
