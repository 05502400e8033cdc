import type { TestHost } from "./hosts.ts";

export interface ListingOptions {
  /** Lines that match are left out, beside what is always left out. */
  ignore?: readonly RegExp[];
  /** Paths, as patterns of find, that are not looked into, for speed. */
  skip?: readonly string[];
}

/** What changes by itself, as patterns of find. Data of databases is asked from their servers instead. */
const volatile = [
  "/proc",
  "/sys",
  "/dev",
  "/var/log",
  "/var/cache",
  "/lost+found",
  "/tmp/systemd-private-*",
  "/var/tmp/systemd-private-*",
  "/tmp/.*-unix",
  "/var/lib/mysql",
  "/var/lib/postgresql/*/*/*",
  "/var/lib/nginx",
  "/var/lib/redis",
  "/var/lib/php/sessions/*",
  "/var/lib/apache2/lock",
  "/var/lib/systemd/random-seed",
  "/var/lib/systemd/timers",
  "/var/lib/systemd/timesync",
  "/var/lib/systemd/coredump",
  "/var/lib/systemd/linger/.#*",
  "/var/lib/dbus/machine-id",
  "/var/.updated",
  "/etc/.updated",
  "/etc/.pwd.lock",
  "/etc/ld.so.cache",
  "/etc/test-host-network",
  // What dpkg knew before it did whatever it did last.
  "/var/lib/dpkg/status-old",
  // The account tools keep the file before their last change under these names.
  "/etc/passwd-",
  "/etc/group-",
  "/etc/shadow-",
  "/etc/gshadow-",
  "/etc/subuid-",
  "/etc/subgid-",
];
/** Of `/run`, whose other parts come and go: what is ours, and what is switched on until the next start. */
const inRun = ["/run/hostwright*", "/run/systemd", "/run/systemd/system*"];
const hashed = [
  "/etc",
  "/srv",
  "/opt",
  "/home",
  "/root",
  "/usr/local",
  "/var/www",
  "/var/lib/hostwright",
  "/var/backups",
  "/run/hostwright*",
];

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

function findVolatile(skip: readonly string[]): string {
  const paths = [...volatile, ...skip].map((pattern) => `-path ${quote(pattern)}`).join(" -o ");
  const kept = inRun.map((pattern) => `! -path ${quote(pattern)}`).join(" ");
  return `\\( ${paths} -o \\( -path '/run/*' ${kept} \\) \\) -prune`;
}

/** Every file, with its content's hash where content is somebody's configuration or data. */
async function files(host: TestHost, skip: readonly string[]): Promise<string[]> {
  const listed = await host.sh(`find / ${findVolatile(skip)} -o -printf '%y\\t%m\\t%u\\t%g\\t%s\\t%p\\t%l\\0'`);
  const existing = `ls -d ${hashed.join(" ")} 2>/dev/null || true`;
  const sums = await host.sh(`find $(${existing}) ${findVolatile(skip)} -o -type f -print0 | xargs -0 -r sha256sum -z`);
  const hashes = new Map(
    sums
      .split("\0")
      .filter(Boolean)
      .map((line): [string, string] => [line.slice(66), line.slice(0, 64)]),
  );
  return listed
    .split("\0")
    .filter(Boolean)
    .map((record) => {
      const [type = "", mode = "", owner = "", group = "", size = "", path = "", target = ""] = record.split("\t");
      const details = [type, mode.padStart(4, "0"), `${owner}:${group}`];
      if (type === "f") details.push(size, hashes.get(path) ?? "");
      if (type === "l") details.push(`-> ${target}`);
      return `file ${JSON.stringify(path).slice(1, -1).replaceAll(" ", "\\040")} ${details.join(" ").trim()}`;
    });
}

/** Lines of a command's output, each under a heading; the first word after it names the thing. */
async function lines(host: TestHost, heading: string, script: string): Promise<string[]> {
  const output = await host.sh(script);
  return output
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " "))
    .filter(Boolean)
    .map((line) => `${heading} ${line}`);
}

async function accounts(host: TestHost): Promise<string[]> {
  const list = async (database: string): Promise<string[]> =>
    (await lines(host, database, `getent ${database}`)).map((line) => line.replace(":", " "));
  return [...(await list("passwd")), ...(await list("group"))];
}

/**
 * Units of ours. What is switched on shows in links of `/etc` and `/run`: `list-unit-files`, which reads the file of every
 * unit, costs as much as all the rest.
 */
async function units(host: TestHost): Promise<string[]> {
  const list =
    "systemctl list-units --all --plain --no-legend --no-pager '*hostwright*' | awk '{print $1, $2, $3, $4}'";
  return lines(host, "unit", list);
}

const mariadbQueries = {
  database: "select schema_name, default_character_set_name, default_collation_name from information_schema.schemata",
  table:
    "select concat(table_schema, '.', table_name), table_type, engine from information_schema.tables where table_schema not in ('mysql', 'information_schema', 'performance_schema', 'sys')",
  account: "select concat(user, '@', host), json_remove(priv, '$.password_last_changed') from mysql.global_priv",
  "schema-grant":
    "select concat(grantee, ':', table_schema, ':', privilege_type), is_grantable from information_schema.schema_privileges",
  "table-grant":
    "select concat(grantee, ':', table_schema, '.', table_name, ':', privilege_type), is_grantable from information_schema.table_privileges",
};

const postgresqlQueries = {
  database:
    "select datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datacl from pg_database",
  role: "select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolconnlimit, rolconfig from pg_roles",
  member: "select pg_get_userbyid(roleid) || ':' || pg_get_userbyid(member), admin_option from pg_auth_members",
};

// The account without a name is switched off where the cache is ours: then the administrator asks, and Redis takes the last
// login that it was given.
const REDIS_ACCOUNTS = `{ echo PING; sed -n 's/^user hostwright .*>\\([^ ]*\\) .*/AUTH hostwright \\1/p' /etc/hostwright/redis/base.acl; echo ACL LIST; } 2>/dev/null |
  redis-cli -s /run/redis/redis-server.sock | sed -n 's/^user //p'`;
// As they come back with the next start, which takes those of no site from `base.acl`: what else is in their lines depends
// on whether Redis wrote them. It writes the commands of the others in words of its own, too.
const REDIS_SAVED =
  "sed -n '/^user \\(default\\|hostwright\\|hostwright-site\\) /d; s/^user //; s/ -@all.*//p' /var/lib/redis/hostwright.acl 2>/dev/null || true";

async function databases(host: TestHost): Promise<string[]> {
  const runs = async (unit: string): Promise<boolean> =>
    (await host.exec(["systemctl", "is-active", "--quiet", unit])).code === 0;
  const found: string[] = [];
  if (await runs("mariadb")) {
    for (const [what, query] of Object.entries(mariadbQueries))
      found.push(...(await lines(host, `mariadb-${what}`, `mariadb -N -B -e ${quote(query)}`)));
  }
  if (await runs("postgresql")) {
    for (const [what, query] of Object.entries(postgresqlQueries)) {
      found.push(
        ...(await lines(
          host,
          `postgresql-${what}`,
          `cd / && runuser -u postgres -- psql -X -A -t -F ' ' -c ${quote(query)}`,
        )),
      );
    }
  }
  if (await runs("redis-server")) {
    found.push(...(await lines(host, "redis-account", REDIS_ACCOUNTS)));
    found.push(...(await lines(host, "redis-saved", REDIS_SAVED)));
  }
  return found;
}

/**
 * What a host holds, as sorted lines "kind name details": files, accounts, units, databases. Times and what changes by
 * itself are left out, so two listings are equal exactly when nothing was left behind.
 */
export async function normalisedListing(host: TestHost, options: ListingOptions = {}): Promise<string> {
  const all = await Promise.all([files(host, options.skip ?? []), accounts(host), units(host), databases(host)]);
  const kept = all.flat().filter((line) => !options.ignore?.some((pattern) => pattern.test(line)));
  return `${kept.toSorted().join("\n")}\n`;
}

/** Several of one name are all compared, in their order. */
function byName(listing: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of listing.split("\n").filter(Boolean)) {
    const [kind = "", what = "", ...details] = line.split(" ");
    const name = `${kind} ${what}`;
    const [known, own] = [entries.get(name), details.join(" ")];
    entries.set(name, known === undefined ? own : `${known}\n         ${own}`);
  }
  return entries;
}

/** What differs between two listings, a line each: "+" is new, "-" is gone, "~" has changed. Empty when nothing differs. */
export function diffListing(before: string, after: string): string {
  const [old, now] = [byName(before), byName(after)];
  const changes: string[] = [];
  for (const name of [...new Set([...old.keys(), ...now.keys()])].toSorted()) {
    const [was, is] = [old.get(name), now.get(name)];
    if (was === undefined) changes.push(`+ ${name} ${is}`);
    else if (is === undefined) changes.push(`- ${name} ${was}`);
    else if (was !== is) changes.push(`~ ${name}\n    was ${was}\n    is  ${is}`);
  }
  return changes.join("\n");
}
