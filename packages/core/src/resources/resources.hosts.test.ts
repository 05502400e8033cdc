import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHosts, type TestHost, type TestHosts } from "../../../../test/hosts/hosts.ts";
import { sshTo } from "../../../testing/src/containers/ssh-to.ts";
import { resourceHarness, typeOf } from "../../test/resource-harness.ts";
import { testTarget } from "../../test/test-target.ts";
import type { Declared, Target } from "../contracts/resource.ts";
import { text } from "../model/text.ts";
import type { SshServer } from "../servers/ssh-server.ts";
import { directory } from "./directory.ts";
import { file } from "./file.ts";
import { link } from "./link.ts";
import { unixUser } from "./unix-user.ts";
import { underLoad } from "../../../../test/support/under-load.ts";

let hosts: TestHosts;
let host: TestHost;
let server: SshServer;
let target: Target;

beforeAll(async () => {
  hosts = await startHosts([{ name: "web", smallDisks: { "/small": "16M" } }]);
  host = hosts.host("web");
  server = sshTo(host);
  target = testTarget({ "site/a/password": "s3cret" }, server);
});
afterAll(async () => {
  await server?.close();
  await hosts?.stop();
});

const { changesFor, ensure, undo } = resourceHarness(() => target);
const roundTrips = (): number => server.stats.roundTrips;

describe("files, directories and links", () => {
  test("stand with their owner and mode, resolved on the server; secrets arrive; undo leaves nothing", async () => {
    const folder = directory({ path: "/srv/t1", group: "www-data", mode: 0o750 });
    const settings = file({
      path: "/srv/t1/settings",
      content: text`p=${{ ref: "secret", id: "site/a/password", label: "db password" }}`,
      owner: "www-data",
      group: "www-data",
      mode: 0o400,
    });
    const current = link({ path: "/srv/t1/current", target: "settings" });
    const made = [await ensure(folder), await ensure(settings), await ensure(current)] as const;
    expect(await host.sh("stat -c '%n %a %U:%G' /srv/t1 /srv/t1/settings; cat /srv/t1/current")).toBe(
      "/srv/t1 750 root:www-data\n/srv/t1/settings 400 www-data:www-data\np=s3cret",
    );
    await undo(current, made[2]);
    await undo(settings, made[1]);
    await undo(folder, made[0]);
    expect(await host.sh("ls -A /srv")).not.toContain("t1");
  });

  test("root keeps out of a tree that a site's user can write", async () => {
    await host.sh("install -d -o www-data /srv/theirs && install -d /srv/theirs/in && ln -s /etc /srv/theirs/link");
    for (const path of ["/srv/theirs/a", "/srv/theirs/in/a", "/srv/theirs/link/a"]) {
      const after = typeOf(file({ path, content: "x" })).desired(file({ path, content: "x" }).spec, target.resolve);
      await expect(
        typeOf(file({ path, content: "" })).apply(target, [{ key: path, before: null, after }]),
      ).rejects.toMatchObject({ code: "HW_PERMISSION_DENIED", server: "web" });
    }
    expect(await host.sh("find /srv/theirs /etc/a -type f 2>/dev/null || true")).toBe("");
  });

  test("a full disk changes nothing and says so", async () => {
    const old = file({ path: "/small/old", content: "old" });
    await ensure(old);
    const full = await host.fillDisk("/small");
    const big = [
      file({ path: "/small/old", content: "x".repeat(500_000) }),
      file({ path: "/small/new", content: "y".repeat(500_000) }),
    ];
    const changes = await changesFor(big);
    await expect(typeOf(old).apply(target, changes)).rejects.toMatchObject({ code: "HW_DISK_FULL" });
    expect(await host.sh("cat /small/old; ls -A /small | grep -v fill || true")).toContain("old");
    expect(await host.sh("ls -A /small")).not.toContain("hostwright");
    await full[Symbol.asyncDispose]();
    await ensure(...big);
  });

  test("1,000 files and 500 directories are read in one round trip a type and applied in one", async () => {
    const folders = Array.from({ length: 500 }, (_, i) => directory({ path: `/srv/many/d${i}` }));
    const files = Array.from({ length: 1000 }, (_, i) =>
      file({ path: `/srv/many/d${i % 500}/f${i}`, content: `# ${i}\n`.repeat(200) }),
    );
    await ensure(directory({ path: "/srv/many" }));
    const took: Record<string, number> = {};
    const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
      const [from, trips] = [performance.now(), roundTrips()];
      const result = await work();
      took[what] = Math.round(performance.now() - from);
      expect(roundTrips() - trips).toBe(1);
      return result;
    };
    for (const [name, list] of [
      ["directories", folders],
      ["files", files],
    ] as const) {
      const changes = await timed(`${name}: read, absent`, async () => changesFor(list));
      await timed(`${name}: apply`, async () => typeOf(list[0] as Declared).apply(target, changes));
      expect(await timed(`${name}: read`, async () => changesFor(list))).toEqual([]);
    }
    const type = typeOf(files[0] as Declared);
    const keys = files.map((one) => type.key(one.spec));
    await timed("files: read without contents", async () => type.read(target, keys, { contents: false }));
    console.log(took);
    expect(took["files: apply"]).toBeLessThan(underLoad(3000));
  });
});

describe("unix users", () => {
  const site = (name: string, uid: number): Declared =>
    unixUser({ name, uid, home: `/srv/sites/${name}`, members: ["www-data"] });

  test("come locked, without shell and home, with their members; undo leaves no trace of them", async () => {
    const before = await host.sh("cat /etc/passwd /etc/group; ls /etc/sysusers.d 2>&1 || true");
    const changes = await ensure(site("s1", 20_001), site("s2", 20_002));
    expect(
      await host.sh(
        "getent passwd s1; getent group s2; getent shadow s1 | cut -d: -f2; id -nG www-data; ls -d /srv/sites/s1 2>&1 || true",
      ),
    ).toMatch(
      /^s1:x:20001:20001:[^:]*:\/srv\/sites\/s1:\/usr\/sbin\/nologin\ns2:x:20002:www-data\n![^\n]*\n[^\n]*s1 s2\nls: /,
    );
    await undo(site("s1", 1), changes);
    expect(await host.sh("cat /etc/passwd /etc/group; ls /etc/sysusers.d 2>&1 || true")).toBe(before);
  });

  test("what killed programs left beside the files of accounts goes, once nobody is at work on them", async () => {
    const before = await host.sh("ls -A /etc");
    const left = ["/etc/.#passwd0123456789abcdef", "/etc/.#gshadow0123456789abcdef", "/etc/shadow+"];
    const groups = async (): Promise<string> => host.sh("cat /etc/group");
    const known = await groups();
    // Written before its user.
    await host.sh(`touch ${left.join(" ")} /etc/.#passwd.mine; groupadd -g 20001 s1; rm -f /etc/group- /etc/gshadow-`);
    // lckpwdf(3), as useradd holds it while it works; what it is about to rename must stay until then.
    const busy = host.sh(
      `perl -e 'use Fcntl; open my $f, ">", "/etc/.pwd.lock"; my $whole = pack "s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0; fcntl $f, F_SETLKW, $whole or die; unlink "/etc/shadow+" or die; open my $new, ">", "/etc/shadow+"; open my $begun, ">", "/run/begun"; sleep 1; -e "/etc/shadow+" or die "taken away"'`,
    );
    await host.sh("until [ -e /run/begun ]; do sleep 0.01; done; rm /run/begun");
    await typeOf(site("s1", 20_001)).clear?.(target, ["s1", "root", "s9"]);
    await busy;
    expect(await groups()).toBe(known);
    expect(await host.sh("rm /etc/.#passwd.mine; ls -A /etc")).toBe(before);
  });

  test("five hundred come in one round trip", async () => {
    const many = Array.from({ length: 500 }, (_, i) => site(`m${i}`, 30_000 + i));
    const changes = await changesFor(many);
    const [from, trips] = [performance.now(), roundTrips()];
    await typeOf(site("x", 1)).apply(target, changes);
    expect(roundTrips() - trips).toBe(1);
    console.log(`500 users: ${Math.round(performance.now() - from)} ms`);
    expect(await changesFor(many)).toEqual([]);
  });

  test("a number that another holds refuses everything", async () => {
    await ensure(site("holder", 20_010));
    for (const taken of [
      site("other", 20_010),
      site("holder", 20_011),
      unixUser({ name: "nobody2", uid: 33, home: "/x" }),
    ]) {
      const changes = await changesFor([site("innocent", 20_012), taken]);
      await expect(typeOf(taken).apply(target, changes)).rejects.toMatchObject({ code: "HW_RESOURCE_FOREIGN" });
    }
    expect(await host.sh("getent passwd innocent other nobody2 || true")).toBe("");
  });

  test("drift is repaired and undone; a changed user is left alone; one with processes stays", async () => {
    const user = site("drift", 20_020);
    const [made] = await ensure(user);
    await host.sh("usermod -s /bin/bash -p '$6$x$y' drift; gpasswd -M '' drift");
    const drifted = await changesFor([user]);
    await undo(user, await ensure(user));
    expect(await host.sh("getent passwd drift; getent group drift")).toMatch(/bin\/bash\ndrift:x:20020:\n/);
    await host.sh("usermod -s /bin/sh drift");
    await expect(typeOf(user).apply(target, drifted)).rejects.toMatchObject({ code: "HW_RESOURCE_CHANGED" });
    expect(await host.sh("getent passwd drift")).toContain("/bin/sh");
    await ensure(user);
    await host.sh("setpriv --reuid=20020 --regid=20020 --clear-groups sleep 300 >/dev/null 2>&1 &");
    const removal = [{ key: "drift", before: made?.after ?? null, after: null }];
    await expect(typeOf(user).apply(target, removal)).rejects.toMatchObject({
      code: "HW_RESOURCE_CHANGED",
      message: expect.stringContaining("processes"),
    });
    expect(await host.sh("id -u drift; pkill -U 20020 sleep")).toBe("20020\n");
    await typeOf(user).apply(target, removal);
    expect(await host.sh("getent passwd drift; getent group drift; id -nG www-data")).not.toContain("drift");
  });
});
