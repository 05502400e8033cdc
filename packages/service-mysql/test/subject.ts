import { sh, testHosts, type DatabaseSubject } from "@hostwright/testing";
import { mysql } from "../src/index.ts";
import { judged } from "./judged.ts";
import { base, client, flavour, service } from "../../../test/support/tested-mysql.ts";

const sql = (statements: string): string => `${client} -N -B <<'END'\n${statements};\nEND\n`;

/** Whatever the server knows of accounts and databases. */
const TABLES = [
  ...judged.accounts,
  "SELECT * FROM mysql.db ORDER BY Host, Db, User",
  "SELECT Host, Db, User, Table_name, Table_priv, Column_priv FROM mysql.tables_priv ORDER BY Host, Db, User, Table_name",
  "SELECT Host, Db, User, Table_name, Column_name, Column_priv FROM mysql.columns_priv ORDER BY 1, 2, 3, 4, 5",
  "SELECT Host, Db, User, Routine_name, Routine_type, Proc_priv FROM mysql.procs_priv ORDER BY 1, 2, 3, 4",
  "SELECT Host, User, Proxied_host, Proxied_user, With_grant FROM mysql.proxies_priv ORDER BY 1, 2, 3, 4",
  "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA ORDER BY 1",
];

/** What somebody may do to the account `@a`, beside a database, a routine, a role and an account that are others'. */
const DRIFTS: readonly (readonly [what: string, statement: string])[] = [
  ["a global privilege", "GRANT PROCESS, FILE ON *.* TO @a"],
  ["every database", "GRANT ALL ON *.* TO @a WITH GRANT OPTION"],
  ["a neighbour's database", "GRANT SELECT, INSERT ON other.* TO @a"],
  ["databases by a pattern", "GRANT SELECT ON `s%`.* TO @a"],
  ["the right to grant", "GRANT SELECT ON sdrift.* TO @a WITH GRANT OPTION"],
  ["a table", "GRANT SELECT ON other.t TO @a"],
  ["a column", "GRANT SELECT (a, b), INSERT (b) ON other.t TO @a"],
  ["a routine", "GRANT EXECUTE ON PROCEDURE other.p TO @a"],
  ["a role", "GRANT admins TO @a"],
  ["another account's identity", "GRANT PROXY ON b@localhost TO @a"],
  ["a lost privilege", "REVOKE DELETE, DROP ON sdrift.* FROM @a"],
  ["a lock", "ALTER USER @a ACCOUNT LOCK"],
  ["an expired password", "ALTER USER @a PASSWORD EXPIRE"],
  ["a password that will expire", "ALTER USER @a PASSWORD EXPIRE INTERVAL 30 DAY"],
  ["TLS demanded", "ALTER USER @a REQUIRE SUBJECT '/CN=o\\'x' AND ISSUER '/CN=y'"],
  ...judged.drifts,
];

/** As PHP logs in. */
const WITHOUT_TLS = { mariadb: ["--skip-ssl"], mysql: ["--ssl-mode=DISABLED", "--get-server-public-key"] };

const OTHERS =
  "CREATE DATABASE IF NOT EXISTS other; CREATE TABLE IF NOT EXISTS other.t (a INT, b INT); CREATE PROCEDURE IF NOT EXISTS other.p() SELECT 1; CREATE ROLE IF NOT EXISTS admins; CREATE USER IF NOT EXISTS b@localhost";

/** The server under test, judged by its own command line. */
export const subject: DatabaseSubject = {
  plugin: mysql,
  harness: testHosts({ services: [service], base }),
  options: (address) => ({ flavour, listen: [address] }),
  async login(from, { host, port, socket, name, user }, password, statement) {
    const to = socket === null ? ["--protocol=tcp", `--host=${host}`, `--port=${port}`] : [`--socket=${socket}`];
    const argv = [
      client,
      "--no-defaults",
      "--default-character-set=utf8mb4",
      "-N",
      "-B",
      ...to,
      ...WITHOUT_TLS[flavour],
    ];
    const { code, stdout, stderr } = await from.exec([...argv, `--user=${user}`, name, "-e", statement], {
      env: { MYSQL_PWD: password },
    });
    return { ok: code === 0, text: code === 0 ? stdout : stderr };
  },
  snapshot: async (host) => sh(host, sql(TABLES.join(";\n"))),
  prepare: async (host) => void (await sh(host, sql(OTHERS))),
  drifts: (id) => [
    ...DRIFTS.map(([what, statement]) => ({
      what,
      script: sql(statement.replaceAll("@a", `${id}@localhost`).replaceAll("sdrift", id)),
    })),
    { what: "another collation", script: sql(`ALTER DATABASE ${id} COLLATE utf8mb4_bin`) },
  ],
  forbidden: (other) => [
    `USE ${other}`,
    `SELECT * FROM ${other}.t`,
    `DROP DATABASE ${other}`,
    "SELECT * FROM mysql.user",
    "CREATE DATABASE bad",
    "CREATE USER bad@localhost",
    "SELECT 1 INTO OUTFILE '/tmp/bad'",
    "SET GLOBAL general_log = OFF",
    "SHUTDOWN",
  ],
  refused: /denied|not allowed|privilege/,
  logs: `cat /var/lib/mysql/all-queries.log /var/log/mysql/error.log 2>/dev/null; journalctl --no-pager -u ${service}`,
  stop: `systemctl stop ${service}`,
  start: `systemctl start ${service}`,
};
