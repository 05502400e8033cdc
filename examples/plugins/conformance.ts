import { databaseConformance, sh, type DatabaseSubject } from "@hostwright/testing";
import { examplePostgres } from "./database.ts";
import { harness } from "./test-hosts.ts";

const psql = (statement: string): string => `runuser -u postgres -- psql -q -X -At -c "${statement}"`;

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
  lacking: { hostRestriction: "it serves sites on its own machine only", moving: "its databases cannot be moved" },
};

databaseConformance(subject);
