import { sh, testHosts, type DatabaseSubject } from "@hostwright/testing";
import { postgres } from "../src/index.ts";

const psql = (statement: string, database = "postgres"): string =>
  `runuser -u postgres -- psql -q -X -At -v ON_ERROR_STOP=1 -d ${database} -c "${statement}"`;

/** PostgreSQL, judged by its own command line. */
export const subject: DatabaseSubject = {
  plugin: postgres,
  harness: testHosts({ services: ["postgresql"] }),
  options: (address) => ({ listen: [address] }),
  async login(from, { host, port, name, user }, password, statement) {
    const argv = ["psql", "-q", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-w", "-h", host, "-p", String(port)];
    const { code, stdout, stderr } = await from.exec([...argv, "-U", user, "-d", name, "-c", statement], {
      env: { PGPASSWORD: password, PGCONNECT_TIMEOUT: "10", LC_ALL: "C.UTF-8" },
    });
    return { ok: code === 0, text: code === 0 ? stdout : stderr };
  },
  snapshot: async (host) =>
    sh(
      host,
      `runuser -u postgres -- pg_dumpall -g | grep -v '^--\\|restrict' ; ${psql("SELECT datname, pg_get_userbyid(datdba), datcollate, encoding, datacl FROM pg_database ORDER BY 1")}
      for f in /etc/hostwright/postgres/sites/*; do echo "$f"; cat "$f"; done 2>/dev/null || true`,
    ),
  drifts: (id) => [
    { what: "a right of the server", script: psql(`ALTER ROLE ${id} CREATEDB`) },
    { what: "a role", script: psql(`GRANT pg_read_all_data TO ${id}`) },
    { what: "another password", script: psql(`ALTER ROLE ${id} PASSWORD 'other'`) },
    { what: "no password", script: psql(`ALTER ROLE ${id} PASSWORD NULL`) },
    { what: "a limit", script: psql(`ALTER ROLE ${id} CONNECTION LIMIT 1 VALID UNTIL '2030-01-01 00:00:00+00'`) },
    { what: "a closed login", script: psql(`ALTER ROLE ${id} NOLOGIN`) },
    { what: "a database open to all", script: psql(`GRANT CONNECT ON DATABASE ${id} TO PUBLIC`) },
    { what: "another owner", script: psql(`ALTER DATABASE ${id} OWNER TO postgres`) },
    {
      what: "a rule for everybody",
      script: `echo 'host ${id} ${id} 0.0.0.0/0 trust' >> /etc/hostwright/postgres/sites/${id}.conf`,
    },
  ],
  forbidden: (other) => [
    "CREATE ROLE bad",
    "CREATE DATABASE bad",
    `ALTER ROLE ${other} PASSWORD 'bad'`,
    `DROP DATABASE ${other}`,
    `SET ROLE ${other}`,
    "SELECT * FROM pg_authid",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "SELECT pg_read_file('/etc/passwd')",
    "ALTER SYSTEM SET log_statement = 'all'",
  ],
  refused:
    /permission denied|password authentication failed|must be|pg_hba.conf rejects connection|no password supplied|does not exist/,
  logs: "cat /var/log/postgresql/*.log; journalctl --no-pager -u 'postgresql*'",
  stop: "systemctl stop postgresql@17-main.service",
  start: "systemctl start postgresql@17-main.service",
};
