/** The two servers that speak this protocol. */
export type Flavour = "mariadb" | "mysql";

/** What statements to a running server depend on. */
export interface Dialect {
  readonly flavour: Flavour;
  /** It looks up the names of addresses, and then knows the sessions of an address by that name. */
  readonly resolvesNames: boolean;
}

/** In what the two differ outside of SQL. Debian's names. */
export interface FlavourNames {
  /** For people. */
  readonly title: string;
  readonly packages: readonly string[];
  readonly unit: string;
  readonly configFolder: string;
  readonly daemon: string;
  readonly client: string;
  readonly dump: string;
  readonly clientPackage: string;
  /** Oldest version that is known to understand what is sent. */
  readonly oldest: readonly [number, number];
}

export const FLAVOURS: Readonly<Record<Flavour, FlavourNames>> = {
  mariadb: {
    title: "MariaDB",
    packages: ["mariadb-server"],
    unit: "mariadb.service",
    configFolder: "/etc/mysql/mariadb.conf.d",
    daemon: "mariadbd",
    client: "mariadb",
    dump: "mariadb-dump",
    clientPackage: "mariadb-client",
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
    oldest: [8, 0],
  },
};
