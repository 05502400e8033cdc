import { strict as assert } from "node:assert";
import type { Check } from "../check.ts";
import { sh } from "../hosts/host.ts";
import type { HttpBench } from "./http-bench.ts";
import { entriesOf, siteLike, withEntries } from "./http-entries.ts";
import { siteView } from "../views.ts";

const CLIENTS = 4;
const PUBLICATIONS = 10;

/** Clients that ask for a file and a page in turn, each on a connection of its own, until they are told to stop. */
const ASK = String.raw`
use strict; use warnings; use IO::Socket::INET;
my ($port, $clients, $stop) = @ARGV; $| = 1;
sub ask {
  local $SIG{ALRM} = sub { die "no answer within 30 s\n" }; alarm 30;
  my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die "no connection: $!\n";
  print $socket "GET $_[0] HTTP/1.0\r\nHost: wordpress.test\r\n\r\n"; $socket->flush;
  local $/; my $all = <$socket>; alarm 0;
  die "closed without an answer\n" if ($all // "") eq "";
  die "answered with " . substr($all, 0, 40) . "\n" unless $all =~ m{^HTTP/\S+ 200 .*\r\n\r\n(?:release|php .*)\n\z}s;
}
for (1 .. $clients) {
  next if fork;
  my ($asked, %lost) = (0);
  until (-e $stop) { eval { ask($asked++ % 2 ? "/" : "/robots.txt"); 1 } or $lost{$@}++ }
  alarm 0;
  print "asked $asked\n", map { "lost $lost{$_}: $_" } keys %lost;
  exit;
}
1 while wait != -1;
`;

/** What visitors are told while the work is done: how many requests were answered, and a line for what was not. */
async function askedDuring(
  bench: HttpBench,
  work: () => Promise<void>,
): Promise<{ readonly asked: number; readonly lost: readonly string[] }> {
  const stop = `/run/stop-asking-${crypto.randomUUID()}`;
  const port = String(bench.definition.role.port(bench.view));
  const asking = bench.host.exec(["perl", "-e", ASK, port, String(CLIENTS), stop]);
  try {
    await work();
  } finally {
    await sh(bench.host, `touch ${stop}`);
  }
  const lines = (await asking).stdout.trim().split("\n");
  await sh(bench.host, `rm -f ${stop}`);
  const asked = lines.flatMap((line) => Number(/^asked (\d+)/.exec(line)?.[1] ?? 0));
  return { asked: asked.reduce((sum, one) => sum + one, 0), lost: lines.filter((line) => line.startsWith("lost ")) };
}

async function mainProcess(bench: HttpBench): Promise<string> {
  return (await sh(bench.host, `systemctl show -p MainPID --value ${bench.definition.role.publication.unit}`)).trim();
}

/** What a publication promises to those who visit meanwhile, and to who was let in by it. */
export const publicationChecks: readonly Check<HttpBench>[] = [
  {
    name: "no request is lost while sites are published again and again",
    async run(bench) {
      const entries = Array.from({ length: PUBLICATIONS }, (_, n) => entriesOf(bench, siteLike(`through${n}`)));
      await withEntries(bench, [], async () => {
        const { asked, lost } = await askedDuring(bench, async () => {
          for (const some of entries) {
            await bench.put(some);
            assert.ok((await bench.publish()).changed);
          }
        });
        await bench.take(...entries.flat().map(({ name }) => name));
        assert.deepEqual(lost, [], `of ${asked} requests during ${PUBLICATIONS} publications`);
        assert.ok(asked > 10 * PUBLICATIONS, `only ${asked} requests were asked`);
      });
    },
  },
  {
    name: "a publication is a reload: the unit's main process is kept",
    async run(bench) {
      const before = await mainProcess(bench);
      assert.ok(Number(before) > 0, `${bench.definition.role.publication.unit} has no main process`);
      await bench.publish({ force: true });
      assert.equal(await mainProcess(bench), before);
    },
  },
  {
    name: "what a publication puts in force is read with the groups that its user is in by then",
    async run(bench) {
      const { role } = bench.definition;
      const { paths } = siteView("joined");
      const folder = `${paths.public}/wp-content/uploads`;
      const site = siteLike("joined", { paths });
      await sh(
        bench.host,
        `groupadd -g 20777 joined; usermod -aG joined ${role.webUser}
        mkdir -p ${folder}; echo joined > ${folder}/a.txt
        chown -R root:joined ${paths.home}; chmod -R u=rwX,g=rX,o= ${paths.home}`,
      );
      try {
        await withEntries(bench, entriesOf(bench, site), async () => {
          await bench.publish();
          const { status, body } = await bench.get("joined.test", "/wp-content/uploads/a.txt");
          assert.deepEqual([status, body], [200, "joined\n"]);
        });
      } finally {
        await sh(bench.host, `rm -rf ${paths.home}; gpasswd -q -d ${role.webUser} joined; groupdel joined`);
      }
    },
  },
];
