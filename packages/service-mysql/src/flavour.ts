/** The two servers that speak this protocol. */
export type Flavour = "mariadb" | "mysql";

/** What statements to a running server depend on. */
export interface Dialect {
  readonly flavour: Flavour;
  /** It looks up the names of addresses, and then knows the sessions of an address by that name. */
  readonly resolvesNames: boolean;
}

/**
 * In what the two differ outside of SQL. Debian's names; `config` is read after all that the distribution sets (MySQL's own
 * file is mysqld.cnf); `passwords` is how the server keeps them, as every PHP driver understands; `oldest` is known to
 * understand what is sent; `own` is a program of its client alone: MariaDB's calls itself mysql and mysqldump as well.
 */
export const FLAVOURS = {
  mariadb: {
    title: "MariaDB",
    packages: ["mariadb-server"],
    unit: "mariadb.service",
    config: "/etc/mysql/mariadb.conf.d/90-hostwright.cnf",
    daemon: "mariadbd",
    client: "mariadb",
    dump: "mariadb-dump",
    clientPackage: "mariadb-client",
    own: "mariadb",
    dumping: [],
    loading: ["--loose-sandbox", "--loose-skip-print-query-on-error"],
    passwords: "mysql_native_password",
    oldest: [10, 11],
  },
  mysql: {
    title: "MySQL",
    packages: ["mysql-server"],
    unit: "mysql.service",
    config: "/etc/mysql/mysql.conf.d/zz-hostwright.cnf",
    daemon: "mysqld",
    client: "mysql",
    dump: "mysqldump",
    clientPackage: "mysql-client",
    own: "mysql_config_editor",
    // What takes rights that no site has: the numbers of transactions in the binary log, and masks of columns (9.7).
    dumping: ["--set-gtid-purged=OFF", "--loose-skip-masking-policies"],
    loading: [],
    passwords: "caching_sha2_password",
    oldest: [8, 0],
  },
} as const;
