import { flavour } from "../../../test/support/tested-mysql.ts";

/** What tells the servers apart for who judges them by their command line. */
interface Judged {
  /** Statements that read whatever the server knows of accounts. */
  readonly accounts: readonly string[];
  /** What somebody may do to the account `@a` that the other server has no words for. */
  readonly drifts: readonly (readonly [what: string, statement: string])[];
}

/** Without when a password was set, but whether it expired; an empty alternative is none. */
const DATED = "IF(JSON_VALUE(Priv, '$.password_last_changed') = 0, Priv, JSON_REMOVE(Priv, '$.password_last_changed'))";
const PRIV = `IF(JSON_COMPACT(JSON_QUERY(Priv, '$.auth_or')) = '[{}]', JSON_REMOVE(${DATED}, '$.auth_or'), ${DATED})`;

const mariadb: Judged = {
  accounts: [
    `SELECT Host, User, ${PRIV} FROM mysql.global_priv ORDER BY 1, 2`,
    "SELECT * FROM mysql.roles_mapping ORDER BY 1, 2, 3",
  ],
  drifts: [
    ["another password", "SET PASSWORD FOR @a = PASSWORD('other')"],
    ["another way in", "ALTER USER @a IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('x')"],
    ["no password", "ALTER USER @a IDENTIFIED VIA mysql_native_password USING ''"],
    ["a limit", "ALTER USER @a WITH MAX_USER_CONNECTIONS 2 MAX_STATEMENT_TIME 3"],
  ],
};

const mysql: Judged = {
  accounts: [
    // Every column but when a password was set, whatever the version has.
    "SET SESSION group_concat_max_len = 100000",
    "SELECT CONCAT('SELECT ', GROUP_CONCAT(COLUMN_NAME), ' FROM mysql.user ORDER BY Host, User') INTO @accounts FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'mysql' AND TABLE_NAME = 'user' AND COLUMN_NAME <> 'password_last_changed'",
    "PREPARE accounts FROM @accounts",
    "EXECUTE accounts",
    "SELECT * FROM mysql.global_grants ORDER BY 1, 2, 3",
    "SELECT * FROM mysql.role_edges ORDER BY 1, 2, 3, 4",
    "SELECT * FROM mysql.default_roles ORDER BY 1, 2, 3, 4",
  ],
  drifts: [
    ["another password", "ALTER USER @a IDENTIFIED BY 'other'"],
    ["a second password", "ALTER USER @a IDENTIFIED BY 'other' RETAIN CURRENT PASSWORD"],
    ["another way in", "ALTER USER @a IDENTIFIED WITH auth_socket AS 'nobody'"],
    ["no password", "ALTER USER @a IDENTIFIED BY ''"],
    ["a limit", "ALTER USER @a WITH MAX_USER_CONNECTIONS 2"],
    ["rules for passwords", "ALTER USER @a PASSWORD HISTORY 5 PASSWORD REUSE INTERVAL 3 DAY PASSWORD REQUIRE CURRENT"],
    ["a lock after wrong logins", "ALTER USER @a FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME UNBOUNDED"],
  ],
};

export const judged: Judged = flavour === "mysql" ? mysql : mariadb;
