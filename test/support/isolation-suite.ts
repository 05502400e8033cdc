import type { SiteRecord } from "@hostwright/core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Attack, MARK, REACHED } from "./attack.ts";
import { asSite, upload } from "./as-site.ts";
import { databaseIsolation } from "./database-isolation.ts";
import { homeOf } from "./fleet.ts";
import { linkSuite } from "./link-suite.ts";
import { SitePhp } from "./site-php.ts";
import type { Subject } from "./site-suite.ts";

/** Of the host, that every site could read and write. */
const SHARED = ["/tmp", "/var/tmp", "/dev/shm"];
const SPOOL = "/var/spool/cron/crontabs";

/** What a site's PHP can reach of its neighbour, of the system and of itself. It leaves the neighbour as it was. */
export function isolationSuite(name: string, subject: () => Subject): void {
  let sitePhp: SitePhp;
  let attack: Attack;
  const php: Attack["php"] = async (expression) => attack.php(expression);
  const neighbourPhp: Attack["php"] = async (expression) => attack.neighbourPhp(expression);
  const attempt: Attack["attempt"] = async (expression) => attack.attempt(expression);

  describe(`${name}: from one site's PHP`, () => {
    beforeAll(async () => {
      const { fleet, app, site, neighbour } = subject();
      sitePhp = new SitePhp(fleet.web);
      for (const one of [site, neighbour]) {
        await sitePhp.plant(one);
        await upload(fleet.web, one, `${app.uploads}/mark.txt`, MARK);
        for (const folder of ["private", "tmp"]) await asSite(fleet.web, one, `cat > ${folder}/mark.txt`, MARK);
      }
      attack = new Attack(sitePhp, site, neighbour);
    });

    afterAll(async () => {
      await sitePhp?.[Symbol.asyncDispose]();
      const { fleet, app, neighbour } = subject();
      // The folder too, where the application makes it with the first upload.
      await asSite(fleet.web, neighbour, `cd public${app.uploads} && rm mark.txt && rmdir "$PWD" 2>/dev/null || true`);
      await fleet.web.sh(`rm -f ${SHARED.map((folder) => `${folder}/left-by-host`).join(" ")}`);
    });

    test("it runs as its own user, in a request", async () => {
      const { site, neighbour } = subject();
      expect([await php("posix_getuid()"), await neighbourPhp("posix_getuid()")]).toEqual([site.uid, neighbour.uid]);
      expect(await php("PHP_SAPI")).toBe("fpm-fcgi");
    });

    test.each(["its settings", "an uploaded file", "private", "tmp"])(
      "%s: of its own it is read, not of its neighbour",
      async (what) => {
        const { app } = subject();
        const path =
          { "its settings": `conf/${app.settings}`, "an uploaded file": `public${app.uploads}/mark.txt` }[what] ??
          `${what}/mark.txt`;
        const file = (site: SiteRecord): string => `${homeOf(site)}/${path}`;
        const read = (from: string): string => `strlen((string) ${from}) > 10`;
        expect(await attempt((site) => read(`file_get_contents('${file(site)}')`))).toEqual(REACHED);
        expect(await attempt((site) => `file_exists('${file(site)}')`)).toEqual(REACHED);
        expect(await attempt((site) => read(`shell_exec('cat ${file(site)}')`))).toEqual(REACHED);
        // By way of a process of its own, which has another view of the root.
        expect(await attempt((site) => read(`file_get_contents('/proc/self/root${file(site)}')`))).toEqual(REACHED);
      },
    );

    test("folders are listed and written, not its neighbour's", async () => {
      const { fleet, app, site } = subject();
      for (const folder of [`public${app.uploads}`, "private", "tmp"]) {
        expect(await attempt((one) => `is_array(scandir('${homeOf(one)}/${folder}'))`)).toEqual(REACHED);
        expect(await attempt((one) => `file_put_contents('${homeOf(one)}/${folder}/written', 'x') === 1`)).toEqual(
          REACHED,
        );
      }
      expect(await php("array_values(array_diff(scandir('/srv/sites'), ['.', '..']))")).toEqual([site.id]);
      const written = (await fleet.web.sh("find /srv/sites -name written")).trim().split("\n");
      expect(written.filter((path) => !path.startsWith(homeOf(site)))).toEqual([]);
    });

    databaseIsolation(subject, () => attack);

    test("no PHP socket is reached, its neighbour's or its own", async () => {
      const { fleet, neighbour } = subject();
      const open = (site: SiteRecord): string =>
        `(bool) stream_socket_client('unix:///run/hostwright-php/${site.id}.sock')`;
      expect(await attempt(open)).toEqual({ own: false, other: false });
      // The web server's user reaches it: the attempt is one that works.
      const asWeb = ["setpriv", "--reuid", "www-data", "--regid", "www-data", "--clear-groups"];
      const { stdout } = await fleet.web.exec([...asWeb, "php", "-r", `echo json_encode(${open(neighbour)});`]);
      expect(stdout).toBe("true");
      for (const socket of ["/run/dbus/system_bus_socket", "/run/systemd/private", "/run/systemd/journal/stdout"])
        expect([socket, await php(`(bool) stream_socket_client('unix://${socket}')`)]).toEqual([socket, false]);
    });

    test("no process of another is seen or signalled", async () => {
      const { fleet, site, neighbour } = subject();
      await neighbourPhp("1");
      const mainPid = async ({ id }: SiteRecord): Promise<number> =>
        Number(await fleet.web.sh(`systemctl show -P MainPID hostwright-php-${id}.service`));
      const pids = new Map([
        [site.id, await mainPid(site)],
        [neighbour.id, await mainPid(neighbour)],
      ]);
      const pid = ({ id }: SiteRecord): number => pids.get(id) ?? 0;
      expect(pid(site) > 1 && pid(neighbour) > 1).toBe(true);
      expect(await attempt((one) => `posix_kill(${pid(one)}, 0)`)).toEqual(REACHED);
      for (const file of ["cmdline", "status"])
        expect(await attempt((one) => `strlen((string) file_get_contents('/proc/${pid(one)}/${file}')) > 0`)).toEqual(
          REACHED,
        );
      expect(await php("array_values(array_unique(array_map('fileowner', glob('/proc/[0-9]*'))))")).toEqual([site.uid]);
      expect(await php(`posix_kill(${pid(neighbour)}, 9) || posix_kill(1, 9)`)).toBe(false);
      expect(await mainPid(neighbour)).toBe(pid(neighbour));
    });

    test("sessions are its own", async () => {
      const start = `(function ($id, $value) { if ($id) session_id($id); session_start(); if ($value) $_SESSION['mark'] = $value; $found = [session_id(), $_SESSION['mark'] ?? null]; session_write_close(); return $found; })`;
      const [id] = (await neighbourPhp(`${start}('', '${MARK}')`)) as [string, string];
      expect(await neighbourPhp(`${start}('${id}', '')`)).toEqual([id, MARK]);
      expect(await php(`${start}('${id}', '')`)).toEqual([expect.not.stringMatching(`^${id}$`), null]);
    });

    test.each(SHARED)("%s is its own", async (folder) => {
      const name = `${folder}/left-by-other`;
      expect(await neighbourPhp(`file_put_contents('${name}', 'x')`)).toBe(1);
      expect([await neighbourPhp(`file_exists('${name}')`), await php(`file_exists('${name}')`)]).toEqual([
        true,
        false,
      ]);
      await subject().fleet.web.sh(`echo x > ${folder}/left-by-host; chmod 644 ${folder}/left-by-host`);
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
      // A script that was written within the last two seconds is not kept.
      const seen = await vi.waitFor(
        async () => {
          const kept = (await php(scripts)) as string[];
          expect(kept).not.toEqual([]);
          return kept;
        },
        { timeout: 10_000, interval: 500 },
      );
      const home = `${homeOf(subject().site)}/`;
      expect(seen.filter((path) => !path.startsWith(home))).toEqual([]);
    });

    test("it listens nowhere: no abstract socket and no port joins two sites", async () => {
      const { fleet, site } = subject();
      const addresses = ["unix://\\0abstract", "tcp://127.0.0.1:40404", "tcp://0.0.0.0:40405", "udp://127.0.0.1:40406"];
      const listens = (address: string): string =>
        `(bool) stream_socket_server("${address}", $n, $s${address.startsWith("udp") ? ", STREAM_SERVER_BIND" : ""})`;
      for (const address of addresses) expect([address, await php(listens(address))]).toEqual([address, false]);
      // The same outside of the sandbox works, and so do connections out of it.
      for (const address of addresses)
        expect(await asSite(fleet.web, site, `php -r 'echo json_encode(${listens(address)});'`)).toBe("true");
      expect(await php("(bool) stream_socket_client('tcp://127.0.0.1:80')")).toBe(true);
      expect(await php("stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0) !== false")).toBe(true);
      expect(await php("gethostbyname('web1')")).toBe(fleet.web.address);
    });

    test("nothing of it runs later or as another: no crontab, no unit, no setuid program", async () => {
      const { fleet, site } = subject();
      const spool = (await fleet.web.exec(["test", "-d", SPOOL])).code === 0;
      await fleet.web.sh(`mkdir -p ${SPOOL} && chmod 1777 ${SPOOL}`);
      expect(await php(`file_put_contents('${SPOOL}/${site.id}', '* * * * * id')`)).toBe(false);
      const exec = (command: string): string =>
        `(function () { exec(${JSON.stringify(command)} . ' 2>&1', $o, $code); return $code === 0 ? $o : false; })()`;
      expect(await php(exec("id -u"))).toEqual([String(site.uid)]);
      for (const command of ["crontab -l", "systemd-run id", "su root -c id", "mount -t tmpfs x /tmp", "unshare -U id"])
        expect([command, await php(exec(command))]).toEqual([command, false]);
      expect(await fleet.web.sh(`ls ${SPOOL}`)).toBe("");
      await fleet.web.sh(spool ? `chmod 1730 ${SPOOL}` : `rmdir -p ${SPOOL} 2>/dev/null || true`);
      expect(
        await php("trim(preg_replace('/.*NoNewPrivs:\\s*(\\d).*/s', '$1', file_get_contents('/proc/self/status')))"),
      ).toBe("1");
    });

    test("it changes no code, no settings, no unit and no file of the system", async () => {
      const { app, site } = subject();
      const paths = [
        `/srv/platforms/${app.name}/web/index.php`,
        `/srv/platforms/${app.name}/web/new.php`,
        `${homeOf(site)}/conf/${app.settings}`,
        `${homeOf(site)}/conf/new`,
        `${homeOf(site)}/public/new`,
        "/etc/new",
        "/etc/systemd/system/new.service",
        `/usr/local/lib/hostwright/${app.driver}`,
        "/var/lib/hostwright-acme/new",
        "/run/new",
      ];
      const put = await php(
        `array_map(fn($f) => file_put_contents($f, 'x', FILE_APPEND) !== false, ${JSON.stringify(paths)})`,
      );
      expect(put).toEqual(paths.map(() => false));
      expect(await php(`chmod('${homeOf(site)}/conf/${app.settings}', 0666)`)).toBe(false);
    });

    linkSuite(subject, () => attack);
  });
}
