import type { SiteRecord } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestHost } from "./hosts/hosts.ts";
import type { App } from "./support/apps.ts";
import { asSite, upload } from "./support/as-site.ts";
import { homeOf } from "./support/estate.ts";
import { ask, loginTo, Neighbours } from "./support/neighbours.ts";
import { all, page, statuses } from "./support/page.ts";

const MARK = "mark-of-the-owner-93d1";
const REACHED = { own: true, other: false };

let neighbours: Neighbours;
let host: TestHost;
let app: App;
let own: SiteRecord;
let other: SiteRecord;

const php: Neighbours["php"] = async (expression) => neighbours.php(expression);
const neighbourPhp: Neighbours["php"] = async (expression) => neighbours.neighbourPhp(expression);
const attempt: Neighbours["attempt"] = async (expression) => neighbours.attempt(expression);

beforeAll(async () => {
  neighbours = await Neighbours.start();
  ({ host, app, own, other } = neighbours);
  for (const site of [own, other]) {
    await upload(host, site, `${app.uploads}/mark.txt`, MARK);
    for (const folder of ["private", "tmp"]) await asSite(host, site, `cat > ${folder}/mark.txt`, MARK);
  }
});

afterAll(async () => neighbours?.[Symbol.asyncDispose]());

describe("from one site's PHP", () => {
  test("it runs as its own user, in a request", async () => {
    expect([await php("posix_getuid()"), await neighbourPhp("posix_getuid()")]).toEqual([own.uid, other.uid]);
    expect(await php("PHP_SAPI")).toBe("fpm-fcgi");
  });

  const files = {
    settings: "conf/settings.php",
    "an uploaded file": "public/wp-content/uploads/mark.txt",
    "a private file": "private/mark.txt",
    "a temporary file": "tmp/mark.txt",
  };

  test.each(Object.entries(files))("%s is read of its own, not of its neighbour", async (_what, path) => {
    expect(await attempt((site) => `strlen((string) file_get_contents('${homeOf(site)}/${path}')) > 10`)).toEqual(
      REACHED,
    );
    expect(await attempt((site) => `file_exists('${homeOf(site)}/${path}')`)).toEqual(REACHED);
    const shell = (site: SiteRecord): string => `strlen((string) shell_exec('cat ${homeOf(site)}/${path}')) > 10`;
    expect(await attempt(shell)).toEqual(REACHED);
    // By way of a process of its own, which has another view of the root.
    const byProc = (site: SiteRecord): string =>
      `strlen((string) file_get_contents('/proc/self/root${homeOf(site)}/${path}')) > 10`;
    expect(await attempt(byProc)).toEqual(REACHED);
  });

  test("folders are listed and written, not its neighbour's", async () => {
    for (const folder of ["public/wp-content/uploads", "private", "tmp"]) {
      expect(await attempt((site) => `is_array(scandir('${homeOf(site)}/${folder}'))`)).toEqual(REACHED);
      expect(await attempt((site) => `file_put_contents('${homeOf(site)}/${folder}/written', 'x') === 1`)).toEqual(
        REACHED,
      );
    }
    expect(await php("array_values(array_diff(scandir('/srv/sites'), ['.', '..']))")).toEqual([own.id]);
    const written = await host.sh("find /srv/sites -name written");
    expect(
      written
        .trim()
        .split("\n")
        .every((path) => path.startsWith(homeOf(own))),
    ).toBe(true);
  });

  describe("the database", () => {
    test("it logs in to its own, not to its neighbour's nor to the server's", async () => {
      expect(await attempt((site) => loginTo(site.id))).toEqual({ own: true, other: 1044 });
      expect([await php(loginTo("mysql")), await php(loginTo("nowhere"))]).toEqual([1044, 1044]);
    });

    test("it reads tables of its own only, and sees no other name", async () => {
      expect(await attempt((site) => ask(`select count(*) > 0 from \`${site.id}\`.wp_users`))).toEqual({
        own: ["1"],
        other: 1142,
      });
      expect(await php(ask("show databases"))).toEqual(["information_schema", own.id]);
      expect(
        await php(
          ask(
            "select distinct table_schema from information_schema.tables where table_schema not in ('information_schema', 'performance_schema')",
          ),
        ),
      ).toEqual([own.id]);
      expect(await php(ask("select distinct user from information_schema.processlist"))).toEqual([own.id]);
    });

    test("it reaches no file, account or other server by it", async () => {
      const refused = {
        "select user from mysql.global_priv": 1142,
        "create user x@localhost": 1227,
        "create database x": 1044,
        "select 1 into outfile '/tmp/x'": 1045,
        "set global general_log = 1": 1227,
        "install soname 'x'": 1142,
        [`grant all on *.* to '${own.id}'@localhost`]: 1045,
        [`grant all on \`${own.id}\`.* to '${other.id}'@localhost`]: 1044,
      };
      for (const [sql, errno] of Object.entries(refused)) expect([sql, await php(ask(sql))]).toEqual([sql, errno]);
      expect(await php(ask("select load_file('/etc/passwd') is null"))).toEqual(["1"]);
    });

    test("its password opens no account of its neighbour", async () => {
      const login = (user: string): string => loginTo(user, `'${user}'`);
      expect(await attempt((site) => login(site.id))).toEqual({ own: true, other: 1045 });
      expect(await php(login("root"))).toBe(1698);
    });
  });

  test("no PHP socket is reached, its neighbour's or its own", async () => {
    const open = (site: SiteRecord): string =>
      `(bool) stream_socket_client('unix:///run/hostwright-php/${site.id}.sock')`;
    expect(await attempt(open)).toEqual({ own: false, other: false });
    // The web server's user reaches it: the attempt is one that works.
    const asWeb = ["setpriv", "--reuid", "www-data", "--regid", "www-data", "--clear-groups"];
    const { stdout } = await host.exec([...asWeb, "php", "-r", `echo json_encode(${open(other)});`]);
    expect(stdout).toBe("true");
    for (const socket of ["/run/dbus/system_bus_socket", "/run/systemd/private", "/run/systemd/journal/stdout"])
      expect([socket, await php(`(bool) stream_socket_client('unix://${socket}')`)]).toEqual([socket, false]);
  });

  test("no process of another is seen or signalled", async () => {
    await neighbourPhp("1");
    const mainPid = async (site: SiteRecord): Promise<number> =>
      Number(await host.sh(`systemctl show -P MainPID hostwright-php-${site.id}.service`));
    const pids = new Map([
      [own.id, await mainPid(own)],
      [other.id, await mainPid(other)],
    ]);
    const pid = (site: SiteRecord): number => pids.get(site.id) ?? 0;
    expect(pid(own) > 1 && pid(other) > 1).toBe(true);
    expect(await attempt((site) => `posix_kill(${pid(site)}, 0)`)).toEqual(REACHED);
    for (const file of ["cmdline", "status"])
      expect(await attempt((site) => `strlen((string) file_get_contents('/proc/${pid(site)}/${file}')) > 0`)).toEqual(
        REACHED,
      );
    expect(await php("array_values(array_unique(array_map('fileowner', glob('/proc/[0-9]*'))))")).toEqual([own.uid]);
    expect(await php(`posix_kill(${pid(other)}, 9) || posix_kill(1, 9)`)).toBe(false);
    expect(await mainPid(other)).toBe(pid(other));
  });

  test("sessions are its own", async () => {
    const start = `(function ($id, $value) { if ($id) session_id($id); session_start(); if ($value) $_SESSION['mark'] = $value; $found = [session_id(), $_SESSION['mark'] ?? null]; session_write_close(); return $found; })`;
    const [id] = (await neighbourPhp(`${start}('', '${MARK}')`)) as [string, string];
    expect(await neighbourPhp(`${start}('${id}', '')`)).toEqual([id, MARK]);
    expect(await php(`${start}('${id}', '')`)).toEqual([expect.not.stringMatching(`^${id}$`), null]);
  });

  test.each(["/tmp", "/var/tmp", "/dev/shm"])("%s is its own", async (folder) => {
    const name = `${folder}/left-by-other`;
    expect(await neighbourPhp(`file_put_contents('${name}', 'x')`)).toBe(1);
    expect([await neighbourPhp(`file_exists('${name}')`), await php(`file_exists('${name}')`)]).toEqual([true, false]);
    await host.sh(`echo x > ${folder}/left-by-host; chmod 644 ${folder}/left-by-host`);
    expect(await php(`file_exists('${folder}/left-by-host')`)).toBe(false);
  });

  test("shared memory and opcode cache are its own", async () => {
    const memory = `shm_attach(4242, 1024, 0666)`;
    expect(await neighbourPhp(`shm_put_var(${memory}, 1, '${MARK}')`)).toBe(true);
    expect([await neighbourPhp(`shm_get_var(${memory}, 1)`), await php(`shm_has_var(${memory}, 1)`)]).toEqual([
      MARK,
      false,
    ]);
    const scripts =
      "array_values(array_filter(array_keys(opcache_get_status()['scripts']), fn($f) => str_contains($f, '/srv/sites/')))";
    const seen = (await php(scripts)) as string[];
    expect([seen.length > 0, seen.filter((path) => !path.startsWith(`${homeOf(own)}/`))]).toEqual([true, []]);
  });

  test("it listens nowhere: no abstract socket and no port joins two sites", async () => {
    const addresses = ["unix://\\0abstract", "tcp://127.0.0.1:40404", "tcp://0.0.0.0:40405", "udp://127.0.0.1:40406"];
    const listens = (address: string): string =>
      `(bool) stream_socket_server("${address}", $n, $s${address.startsWith("udp") ? ", STREAM_SERVER_BIND" : ""})`;
    for (const address of addresses) expect([address, await php(listens(address))]).toEqual([address, false]);
    // The same outside of the sandbox works, and so do connections out of it.
    for (const address of addresses)
      expect(await asSite(host, own, `php -r 'echo json_encode(${listens(address)});'`)).toBe("true");
    expect(await php("(bool) stream_socket_client('tcp://127.0.0.1:80')")).toBe(true);
    expect(await php("stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0) !== false")).toBe(true);
    expect(await php("gethostbyname('web1')")).toBe(host.address);
  });

  test("nothing of it runs later or as another: no crontab, no unit, no setuid program", async () => {
    const spool = "/var/spool/cron/crontabs";
    await host.sh(`mkdir -p ${spool} && chmod 1777 ${spool}`);
    expect(await php(`file_put_contents('${spool}/${own.id}', '* * * * * id')`)).toBe(false);
    const exec = (command: string): string =>
      `(function () { exec(${JSON.stringify(command)} . ' 2>&1', $o, $code); return $code === 0 ? $o : false; })()`;
    expect(await php(exec("id -u"))).toEqual([String(own.uid)]);
    for (const command of ["crontab -l", "systemd-run id", "su root -c id", "mount -t tmpfs x /tmp", "unshare -U id"])
      expect([command, await php(exec(command))]).toEqual([command, false]);
    expect(await host.sh(`ls ${spool}`)).toBe("");
    expect(
      await php("trim(preg_replace('/.*NoNewPrivs:\\s*(\\d).*/s', '$1', file_get_contents('/proc/self/status')))"),
    ).toBe("1");
  });

  test("it changes no code, no settings, no unit and no file of the system", async () => {
    const paths = [
      `/srv/platforms/${app.name}/web/index.php`,
      `${homeOf(own)}/conf/settings.php`,
      `${homeOf(own)}/conf/new`,
      `${homeOf(own)}/public/new`,
      "/etc/new",
      "/etc/systemd/system/new.service",
      "/usr/local/lib/hostwright/wordpress.php",
      "/var/lib/hostwright-acme/new",
      "/run/new",
    ];
    const put = await php(
      `array_map(fn($f) => file_put_contents($f, 'x', FILE_APPEND) !== false, ${JSON.stringify(paths)})`,
    );
    expect(put).toEqual(paths.map(() => false));
    expect(await php(`chmod('${homeOf(own)}/conf/settings.php', 0666)`)).toBe(false);
  });
});

describe("links out of the folder of uploads", () => {
  const uploads = (site: SiteRecord): string => `${homeOf(site)}/public${app.uploads}`;

  test("to its own files are followed, to a neighbour's or the system's are not", async () => {
    const links = {
      "own.txt": `${uploads(own)}/mark.txt`,
      "relative.txt": "mark.txt",
      "neighbour.txt": `${uploads(other)}/mark.txt`,
      "climbing.txt": `../../../../${other.id}/public${app.uploads}/mark.txt`,
      "neighbours-settings.txt": `${homeOf(other)}/conf/settings.php`,
      "neighbours-private.txt": `${homeOf(other)}/private/mark.txt`,
      "passwd.txt": "/etc/passwd",
      "own-settings.txt": `${homeOf(own)}/conf/settings.php`,
      "own-private.txt": `${homeOf(own)}/private/mark.txt`,
      "proc.txt": "/proc/self/environ",
    };
    for (const [name, target] of Object.entries(links))
      expect(await php(`symlink('${target}', '${uploads(own)}/${name}')`)).toBe(true);
    const [first, second, ...rest] = Object.keys(links).map((name) => `${app.uploads}/${name}`);
    expect(await statuses(host, own.domain, [first ?? "", second ?? ""], MARK)).toEqual(
      all([first ?? "", second ?? ""], "200 LEAKS"),
    );
    for (const mark of [MARK, "DB_PASSWORD", "root:x:0"])
      expect(await statuses(host, own.domain, rest, mark)).toEqual(all(rest, expect.stringMatching(/^40[34]$/)));
  });

  test("by a folder are not followed either", async () => {
    expect(await php(`symlink('${uploads(own)}', '${uploads(own)}/self')`)).toBe(true);
    expect(await php(`symlink('${uploads(other)}', '${uploads(own)}/folder')`)).toBe(true);
    expect(await php(`symlink('/', '${uploads(own)}/root')`)).toBe(true);
    const self = [`${app.uploads}/self/mark.txt`];
    expect(await statuses(host, own.domain, self, MARK)).toEqual(all(self, "200 LEAKS"));
    const paths = [
      `${app.uploads}/folder/mark.txt`,
      `${app.uploads}/root/etc/passwd`,
      `${app.uploads}/root${uploads(other)}/mark.txt`,
    ];
    for (const mark of [MARK, "root:x:0"])
      expect(await statuses(host, own.domain, paths, mark)).toEqual(all(paths, expect.stringMatching(/^40[34]$/)));
  });

  test("instead of the folder itself lead nowhere", async () => {
    const moved = `rename('${uploads(own)}', '${uploads(own)}.old') && symlink('${uploads(other)}', '${uploads(own)}')`;
    expect(await php(moved)).toBe(true);
    const answer = await page(host, own.domain, `${app.uploads}/mark.txt`);
    expect([answer.status, answer.body.includes(MARK)]).toEqual([
      expect.toSatisfy((status: number) => status === 403 || status === 404),
      false,
    ]);
    expect(await php(`unlink('${uploads(own)}') && rename('${uploads(own)}.old', '${uploads(own)}')`)).toBe(true);
    expect((await page(host, own.domain, `${app.uploads}/mark.txt`)).body).toBe(MARK);
  });

  test("made hard to a neighbour's file cannot be", async () => {
    expect(await attempt((site) => `link('${uploads(site)}/mark.txt', '${uploads(own)}/hard-${site.id}.txt')`)).toEqual(
      REACHED,
    );
  });
});
