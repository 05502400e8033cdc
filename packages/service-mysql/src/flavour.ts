/** The two servers that speak this protocol. */
export type Flavour = "mariadb" | "mysql";

/** What statements to a running server depend on. */
export interface Dialect {
  readonly flavour: Flavour;
  /** It looks up the names of addresses, and then knows the sessions of an address by that name. */
  readonly resolvesNames: boolean;
}

/**
 * In what the two differ outside of SQL. Debian's names; `passwords` is how the server keeps them, as every
 * PHP driver understands; `oldest` is known to understand what is sent.
 */
export const FLAVOURS = {
  mariadb: {
    title: "MariaDB",
    packages: ["mariadb-server"],
    unit: "mariadb.service",
    configFolder: "/etc/mysql/mariadb.conf.d",
    daemon: "mariadbd",
    client: "mariadb",
    dump: "mariadb-dump",
    clientPackage: "mariadb-client",
    passwords: "mysql_native_password",
    oldest: [10, 11],
  },
  mysql: {
    title: "MySQL",
    packages: ["mysql-server"],
    unit: "mysql.service",
    configFolder: "/etc/mysql/mysql.conf.d",
    daemon: "mysqld",
    client: "mysql",
    dump: "mysqldump",
    clientPackage: "mysql-client",
    passwords: "caching_sha2_password",
    oldest: [8, 0],
  },
} as const;
