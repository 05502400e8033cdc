import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { secret } from "@hostwright/core";
import { SshServer } from "../../packages/core/src/servers/ssh-server.ts";
import type { RegisteredResource } from "../../packages/core/src/contracts/store.ts";
import type { TestHost } from "../hosts/hosts.ts";

/**
 * The floor: what an administrator would write by hand for exactly the things that Hostwright holds, in one shell script
 * and one SQL script over one open SSH connection. It writes and reads the same, with no plan, no diff, no journal and
 * no undo.
 *
 * First apply, on a second host that stands as the first one stood before its sites came: a tar stream with the same
 * folders and files (contents, owners, modes), systemd-sysusers, `systemctl enable --now` of the same sockets, the
 * same databases and accounts, entries copied into a generation, `nginx -t`, reload, and one sync, since an apply that
 * a power failure takes back is none.
 *
 * No-op, on the first host: attributes of every path and sha256 of every file, users with groups and locks, which units
 * run and are enabled, databases and accounts with their grants in two queries, entries against the generation in force,
 * and the facts that a verify judges. The units are asked for in the way that costs least: `systemctl show` of a thousand
 * takes seconds, in which the rest would not be seen. Whether a unit is older than its files, which Hostwright finds out
 * too, is left out for it.
 */
export class Floor implements AsyncDisposable {
  readonly #server: SshServer;

  constructor({ address, port, user, hostKey, privateKey }: TestHost) {
    const key = secret(privateKey);
    this.#server = new SshServer({ name: "floor", host: address, port, user, hostKeys: [hostKey], privateKey: key });
  }

  /** Milliseconds of one script on the connection, which is open before the time is taken. */
  async time(script: string, stdin: Buffer): Promise<number> {
    await this.#server.script({ script: ":" });
    const started = performance.now();
    const result = await this.#server.script({ script, stdin, timeoutMs: 300_000, maxOutputBytes: 256 * 1024 * 1024 });
    const ms = performance.now() - started;
    if (result.exitCode !== 0) throw new Error(`the floor's script failed: ${result.stderr.slice(-2000)}`);
    return ms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}

const ROOT = "/etc/hostwright/nginx";

/** Standard input: a tar of everything, the floor's own lists in `/tmp/floor` among it. */
export const APPLY = `set -e
tar -x --numeric-owner -p -C / -f -
cd /tmp/floor
systemd-sysusers - < users
mariadb < accounts.sql
xargs -d '\\n' systemctl enable --quiet --now < sockets
old=$(basename "$(readlink ${ROOT}/current)") new=$((old + 1))
mkdir ${ROOT}/generations/$new
cp -p ${ROOT}/entries/* ${ROOT}/generations/$old/000-status.conf ${ROOT}/generations/$new/
ln -sfn generations/$new ${ROOT}/current.new && mv -fT ${ROOT}/current.new ${ROOT}/current
nginx -t 2>/dev/null
systemctl reload nginx
sync
`;

/** Standard input: lists between lines `--`: paths, files, users, units, then the SQL. */
export const READ = `set -e
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
csplit -s -z --suppress-matched - '/^--$/' '{*}'
xargs -d '\\n' stat --printf '%n %F %a %U %G %s\\n' < xx00 > out
xargs -d '\\n' sha256sum < xx01 >> out
for table in passwd group shadow; do getent $table | grep -F -f xx02 >> out; done
systemctl list-units --all --plain --no-legend | grep -F -f xx03 >> out
ls /etc/systemd/system/*.wants | grep -F -x -f xx03 >> out
mariadb -N < xx04 >> out
diff -rq -x 000-status.conf ${ROOT}/entries ${ROOT}/current/ || true
nginx -v 2>> out
nginx -T 2>/dev/null | grep '^# configuration file' >> out
mariadbd --version >> out
dpkg-query -W -f '\${db:Status-Status} \${Package}\\n' >> out
cat out
`;

/** What stands on a host of the sites that Hostwright registered, as the floor's scripts take it. */
export class Standing {
  readonly #host: TestHost;
  readonly #rows: readonly RegisteredResource[];

  constructor(host: TestHost, rows: readonly RegisteredResource[]) {
    this.#host = host;
    this.#rows = rows;
  }

  /** For `APPLY`: taken from the host itself, so that the contents are the very same. */
  async toApply(): Promise<Buffer> {
    const users = new Set(this.#keys("unix-user"));
    const lines = (await readFile(join(this.#host.root, "etc/passwd"), "utf8")).split("\n");
    const sysusers = lines
      .map((line) => line.split(":"))
      .filter(([name = ""]) => users.has(name))
      .map(
        ([name, , uid, , , home, shell]) =>
          `g ${name} ${uid}\nu ${name} ${uid} - ${home} ${shell}\nm www-data ${name}\n`,
      );
    const databases = this.#keys("mysql-database");
    const sockets = this.#keys("unit").filter((name) => name.endsWith(".socket"));
    await this.#put("users", sysusers.join(""));
    await this.#put("sockets", sockets.map((name) => `${name}\n`).join(""));
    await this.#put("accounts.sql", `${databases.map(createDatabase).join("")}${await this.#grants()}`);
    const own = ["users", "sockets", "accounts.sql"].map((name) => `/tmp/floor/${name}`);
    return this.#tar([...this.#keys("directory", "file"), ...own]);
  }

  /** For `READ`. */
  toRead(): Buffer {
    const lists = [
      this.#keys("directory", "file"),
      this.#keys("file"),
      this.#keys("unix-user").map((name) => `${name}:`),
      this.#keys("unit"),
      [this.#queries()],
    ];
    return Buffer.from(lists.map((list) => `${list.join("\n")}\n`).join("--\n"));
  }

  #keys(...types: readonly string[]): readonly string[] {
    return this.#rows.filter((row) => types.includes(row.type)).map((row) => row.key);
  }

  async #put(name: string, content: string): Promise<void> {
    const made = await this.#host.exec(["sh", "-c", 'mkdir -p /tmp/floor && cat > "/tmp/floor/$1"', "sh", name], {
      input: content,
    });
    if (made.code !== 0) throw new Error(made.stderr);
  }

  async #grants(): Promise<string> {
    const shown = this.#keys("mysql-account").map((key) => `SHOW GRANTS FOR ${account(key)};\n`);
    const said = await this.#host.exec(["mariadb", "-N", "--raw"], { input: shown.join("") });
    return said.stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => `${line};\n`)
      .join("");
  }

  #queries(): string {
    const names = this.#keys("mysql-database").map((name) => `'${name}'`);
    const grantees = this.#keys("mysql-account").map((key) => `"${account(key)}"`);
    const users = this.#keys("mysql-account").map((key) => `'${key.slice(0, key.indexOf("@"))}'`);
    return `SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN (${names.join(",")});
SELECT User, Host, Priv, NULL FROM mysql.global_priv WHERE User IN (${users.join(",")}) UNION ALL SELECT GRANTEE, PRIVILEGE_TYPE, TABLE_SCHEMA, IS_GRANTABLE FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE IN (${grantees.join(",")});`;
  }

  /** Packed by the host itself: its /tmp cannot be seen from outside. */
  async #tar(paths: readonly string[]): Promise<Buffer> {
    const packed = await this.#host.exec(
      ["sh", "-c", "tar -c --numeric-owner --no-recursion -C / -T - -f - | base64 -w 0"],
      {
        input: paths.map((path) => `${path.slice(1)}\n`).join(""),
      },
    );
    if (packed.code !== 0) throw new Error(packed.stderr);
    return Buffer.from(packed.stdout, "base64");
  }
}

const createDatabase = (name: string): string =>
  `CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;\n`;

function account(key: string): string {
  const at = key.lastIndexOf("@");
  return `'${key.slice(0, at)}'@'${key.slice(at + 1)}'`;
}
