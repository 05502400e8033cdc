/** What the base of test hosts consists of. Its hash names the base in the cache: any change here builds a new one. */
export interface BaseRecipe {
  format: number;
  /** Of Debian. */
  suite: string;
  bootstrapPackages: readonly string[];
  packages: readonly string[];
  /** By their paths. Written before the packages come, so that their installation already obeys them. */
  filesBefore: Readonly<Record<string, string>>;
  filesAfter: Readonly<Record<string, string>>;
  /** Services that a test asks for by name; on other hosts they don't run. */
  onDemand: readonly string[];
  /** A shell script that ends the building. */
  setup: string;
}

const bootstrapPackages = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "openssh-server",
  "iproute2",
  "ca-certificates",
  "sudo",
  "rsync",
  "curl",
];

const packages = [
  "nginx-light",
  "apache2",
  "mariadb-server",
  "postgresql",
  "redis-server",
  "git",
  "perl",
  ...["fpm", "cli", "mysql", "pgsql", "gd", "xml", "mbstring", "curl", "sqlite3", "zip", "intl", "apcu"].map(
    (part) => `php8.4-${part}`,
  ),
];

const dpkgFiles = {
  "/etc/dpkg/dpkg.cfg.d/test-hosts": [
    "force-unsafe-io",
    ...["doc", "man", "info", "locale"].map((folder) => `path-exclude=/usr/share/${folder}/*`),
    "",
  ].join("\n"),
};

const filesBefore = {
  ...dpkgFiles,
  // Small files make a host's first write cheap: an overlay copies a file as a whole.
  "/etc/mysql/mariadb.conf.d/90-test-hosts.cnf": [
    "[mariadbd]",
    "innodb_flush_log_at_trx_commit = 2",
    "innodb_log_file_size = 16M",
    "innodb_buffer_pool_size = 64M",
    "innodb_use_native_aio = 0",
    "debug_no_sync = 1",
    "skip_name_resolve = 1",
    "",
  ].join("\n"),
};

const systemFiles = {
  // A test that tries a wrong key must not lock the machine out of the host.
  "/etc/ssh/sshd_config.d/test-hosts.conf": "PerSourcePenalties no\nHostKey /etc/ssh/ssh_host_ed25519_key\n",
  "/etc/systemd/journald.conf.d/test-hosts.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=64M\n",
  "/etc/systemd/system.conf.d/test-hosts.conf": "[Manager]\nDefaultTimeoutStopSec=20s\n",
  "/etc/systemd/system/test-host-network.service": [
    "[Unit]",
    "Description=Address of this test host",
    "DefaultDependencies=no",
    "Wants=network.target",
    "Before=network.target shutdown.target",
    "Conflicts=shutdown.target",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    "EnvironmentFile=/etc/test-host-network",
    "ExecStart=/usr/sbin/ip address replace ${ADDRESS}/24 dev host0",
    "ExecStart=/usr/sbin/ip link set host0 up",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n"),
};

const filesAfter = {
  "/etc/postgresql/17/main/conf.d/test-hosts.conf": "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n",
  // It checks all tables in the background after each start, and leaves files in /tmp meanwhile.
  "/etc/mysql/debian-start": "#!/bin/sh\nexit 0\n",
  ...systemFiles,
};

const onDemand = ["nginx", "apache2", "mariadb", "postgresql", "redis-server", "php8.4-fpm"];

const maskedUnits = [
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "fstrim.timer",
  "logrotate.timer",
  "man-db.timer",
  "phpsessionclean.timer",
  "systemd-tmpfiles-clean.timer",
  "systemd-timesyncd.service",
  "console-getty.service",
  "getty.target",
  "systemd-networkd-wait-online.service",
  "systemd-hwdb-update.service",
  "systemd-journal-catalog-update.service",
  "systemd-update-utmp.service",
  "ldconfig.service",
  "systemd-firstboot.service",
];

const setup = (services: readonly string[], more = ""): string => `set -e
systemctl -q disable ${services.join(" ")}
systemctl -q mask ${maskedUnits.join(" ")}
systemctl -q enable ssh.service test-host-network.service
${more}rm -f /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id
apt-get clean
rm -rf /var/lib/apt/lists/*
`;

const debian: BaseRecipe = {
  format: 1,
  suite: "trixie",
  bootstrapPackages,
  packages,
  filesBefore,
  filesAfter,
  onDemand,
  setup: setup(onDemand, "mv /etc/php/8.4/fpm/pool.d/www.conf /etc/php/8.4/fpm/pool.d/www.conf.disabled\n"),
};

/** Debian has MySQL in its unstable suite alone. That changes daily: only `npm run test:mysql` takes it. */
const mysql: BaseRecipe = {
  format: 1,
  suite: "sid",
  bootstrapPackages,
  packages: ["mysql-server", "perl"],
  filesBefore: {
    ...dpkgFiles,
    "/etc/mysql/mysql.conf.d/90-test-hosts.cnf": [
      "[mysqld]",
      "innodb_flush_log_at_trx_commit = 2",
      "innodb_redo_log_capacity = 16M",
      "innodb_buffer_pool_size = 64M",
      "innodb_use_native_aio = 0",
      "sync_binlog = 0",
      "skip_name_resolve = 1",
      "",
    ].join("\n"),
  },
  filesAfter: systemFiles,
  onDemand: ["mysql"],
  setup: setup(["mysql"]),
};

export type BaseName = "debian" | "mysql";
export const baseRecipes: Readonly<Record<BaseName, BaseRecipe>> = { debian, mysql };
