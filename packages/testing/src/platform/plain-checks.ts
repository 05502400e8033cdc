import { deleteSite, disable, enable, verify } from "@hostwright/core";
import { isHostwrightError } from "@hostwright/core/plugin";
import { strict as assert } from "node:assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check } from "../check.ts";
import { assertNoSecret } from "../hosts/secret-watch.ts";
import { SECRET_MARK } from "../resources/target.ts";
import { roleChecks } from "./role-checks.ts";
import { BESIDE, DOMAIN, HIDDEN, PLATFORM, SERVER, type PlainBench } from "./plain-bench.ts";

/** Subjects of verify: the site's own, and those that it stands on. */
const SUBJECTS = [DOMAIN, `@${PLATFORM}`, SERVER];

/**
 * All that names a site on a server. What the account tools and the web server keep of what was does not count, nor does an
 * empty slice, which systemd forgets at its next start.
 */
const NAMED = `id=$1 domain=$2 uid=$3
find / /run -xdev \\( -path /proc -o -path /sys -o -path /var/log -o -path /tmp -o -path '*/generations/*' \\) -prune -o \\( -name "*$id*" -o -name "*$domain*" -o -uid "$uid" -o -gid "$uid" \\) -print
grep -rlsF --exclude='*-' --exclude-dir=generations -e "$id" -e "$domain" /etc /srv /opt /usr/local /var/lib/hostwright
grep -rlsF -e "$id" -e "$domain" /etc/hostwright/*/current/
systemctl list-units --all --plain --no-legend "*$id*" | grep -v "\\.slice "
pgrep -l -u "$uid"
true`;

async function assertPages(bench: PlainBench, domain: string): Promise<void> {
  for (const [path, body] of Object.entries(bench.subject.pages(domain)))
    assert.deepEqual(await bench.page(domain, path), { status: 200, body }, path);
}

async function assertNothingLeft(bench: PlainBench): Promise<void> {
  for (const subject of SUBJECTS) assert.deepEqual(await bench.left(subject), [], subject);
}

/** What every platform promises that has no application. */
export const plainChecks: readonly Check<PlainBench>[] = [
  ...roleChecks,
  {
    name: "a folder that is no codebase of it is refused as a source",
    async run({ hw, type }) {
      const path = await mkdtemp(join(tmpdir(), "hostwright-no-codebase-"));
      try {
        await assert.rejects(
          async () => hw.platforms.put({ name: "other", server: SERVER, type, source: { path } }),
          (error) => isHostwrightError(error),
        );
      } finally {
        await rm(path, { recursive: true });
      }
    },
  },
  {
    name: "a site that was installed answers with what its source says",
    async run(bench) {
      assert.ok(Object.keys(bench.subject.pages(DOMAIN)).length > 0, "the subject names no page");
      await assertPages(bench, DOMAIN);
    },
  },
  {
    name: "what is hidden, a script or a dump is no page, though its source has it",
    async run(bench) {
      for (const path of HIDDEN) {
        const { status, body } = await bench.page(DOMAIN, `/${path}`);
        assert.equal(status, 404, path);
        assertNoSecret(path, body);
      }
    },
  },
  {
    name: "no URL leads out of the folder that URLs map to",
    async run(bench) {
      const { id } = await bench.hw.sites.get(DOMAIN);
      const home = `/srv/sites/${id}`;
      await bench.sh(`echo ${SECRET_MARK} > ${home}/private/secret; chmod 644 ${home}/private/secret`);
      const depths = [1, 2, 3, 4, 5].map((count) => Array.from({ length: count }, () => ".."));
      const ups = depths.flatMap((up) => [up.join("/"), up.join("%2f"), up.map(() => "%2e%2e").join("/")]);
      for (const path of [
        BESIDE,
        "private/secret",
        ...ups.flatMap((up) => [`${up}/${BESIDE}`, `${up}${home}/private/secret`]),
      ])
        assertNoSecret(path, (await bench.page(DOMAIN, `/${path}`)).body);
      await bench.sh(`rm ${home}/private/secret`);
    },
  },
  {
    name: "its release is root's, and nobody else can write in it",
    async run(bench) {
      const { docroot } = bench.definition.role.layout;
      const root = `/srv/platforms/${PLATFORM}`;
      assert.equal(await bench.sh(`ls -d ${root}/${docroot}`), `${root}/${docroot}\n`);
      assert.equal(await bench.sh(`find ${root} ! -user root -o ! -type l -perm /022`), "");
    },
  },
  {
    name: "what is a site's own can be read by no other user, and its settings be written by root alone",
    async run(bench) {
      const { id, uid } = await bench.hw.sites.get(DOMAIN);
      const home = `/srv/sites/${id}`;
      assert.equal(await bench.sh(`find ${home} ! -type l -perm /007`), "");
      assert.equal(await bench.sh(`find ${home}/conf -perm /022 -o -uid ${uid} -perm /0222`), "");
    },
  },
  {
    name: "a verify right after it was installed has nothing to do: of the site, of the platform, of the server",
    run: assertNothingLeft,
  },
  {
    name: "what somebody changed of a site is set right by its verify, and by one alone",
    async run(bench) {
      const { id } = await bench.hw.sites.get(DOMAIN);
      await bench.sh(`chmod 755 /srv/sites/${id}/private; rm -rf /srv/sites/${id}/conf`);
      assert.notDeepEqual(await bench.left(DOMAIN), [], "not seen");
      await bench.hw.run(verify(DOMAIN));
      await assertNothingLeft(bench);
      assert.equal(await bench.sh(`stat -c %a /srv/sites/${id}/private`), "700\n");
      await assertPages(bench, DOMAIN);
    },
  },
  {
    name: "a disabled site answers with 503 and runs nothing, and is as it was when it is enabled",
    async run(bench) {
      const { uid } = await bench.hw.sites.get(DOMAIN);
      await bench.hw.run(disable(DOMAIN));
      try {
        for (const path of Object.keys(bench.subject.pages(DOMAIN)))
          assert.equal((await bench.page(DOMAIN, path)).status, 503, path);
        assert.equal(await bench.sh(`pgrep -l -u ${uid} || true`), "");
        await assertNothingLeft(bench);
      } finally {
        await bench.hw.run(enable(DOMAIN));
      }
      await assertPages(bench, DOMAIN);
      await assertNothingLeft(bench);
    },
  },
  {
    name: "deleted after it was asked, a site leaves nothing behind, and its neighbour on the same release answers on",
    async run(bench) {
      const domain = "passing.example.com";
      const { id, uid } = await bench.install(domain);
      const named = async (): Promise<string> =>
        (await bench.host.exec(["sh", "-c", NAMED, "sh", id, domain, String(uid)])).stdout;
      await assertPages(bench, domain);
      assert.match(await named(), new RegExp(`^/srv/sites/${id}$`, "m"));
      await bench.hw.run(deleteSite(domain));
      assert.equal(await named(), "");
      for (const [path, body] of Object.entries(bench.subject.pages(domain)))
        assert.notEqual((await bench.page(domain, path)).body, body, path);
      await assertPages(bench, DOMAIN);
      await assertNothingLeft(bench);
    },
  },
];
