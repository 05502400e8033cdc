import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Target } from "@hostwright/core";
import { startHosts } from "../hosts/hosts.ts";
import { testTarget } from "../../packages/core/test/test-target.ts";
import { fetchPage } from "../../packages/core/src/operations/probe-page.ts";
import { treeType } from "../../packages/core/src/resources/tree.ts";
import { surveyTree } from "../../packages/core/src/resources/tree-digest.ts";
import { inTurns } from "../support/in-turns.ts";
import { sshTo } from "../../packages/testing/src/containers/ssh-to.ts";
import { rounded } from "./figures.ts";

export interface HubMemoryFigures {
  readonly commands: number;
  readonly files: number;
  /** Before the first part: Node, and what is loaded. */
  readonly startMb: number;
  /** The most that the process ever had, as the kernel counts it, after each part. */
  readonly peakMb: Readonly<Record<string, number>>;
  readonly highestMb: number;
}

const AT_ONCE = 12;
const PAGES = 60;
const FILES_A_FOLDER = 500;
const RELEASE = "/srv/platforms/bench";

/** Answers with a page that never ends, at the pace at which it is taken. */
const ENDLESS = `use IO::Socket::INET; $SIG{PIPE} = "IGNORE"; $SIG{CHLD} = "IGNORE";
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 8099, Listen => 64, ReuseAddr => 1) or die;
while (my $c = $s->accept) { next if fork; sysread $c, my $q, 65536; my $x = "x" x 65536;
  syswrite $c, "HTTP/1.1 200 OK\\r\\n\\r\\n<title>Endless</title>"; 1 while syswrite $c, $x; exit }`;

/** What servers and sites may send, as much as they like, and what is sent to them: the hub's memory stays where it is. */
export async function benchHubMemory(
  { commands, files }: { readonly commands: number; readonly files: number },
  say: (line: string) => void,
): Promise<HubMemoryFigures> {
  await using hosts = await startHosts([{ name: "web" }]);
  const host = hosts.host("web");
  await host.exec(["systemd-run", "--quiet", "perl", "-e", ENDLESS]);
  await host.sh("until ss -Hltn 'sport = :8099' | grep -q .; do sleep 0.05; done");
  const server = sshTo(host);
  const target = testTarget({}, server);
  const source = await mkdtemp(join(tmpdir(), "hostwright-tree-"));
  const peaks: Record<string, number> = {};
  const start = process.memoryUsage().rss;
  const part = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    await work();
    const peak = process.resourceUsage().maxRSS / 1024;
    peaks[name] = rounded(peak, 1);
    say(`${name}: at most ${peak.toFixed(0)} MB so far, ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB now`);
  };
  try {
    await part(`${commands} commands, ${AT_ONCE} at once`, async () =>
      inTurns(commands, AT_ONCE, async (index) => server.run({ argv: ["echo", String(index)] })),
    );
    await part("100 outputs without end, cut at 1 MiB, on both ways", async () =>
      inTurns(100, AT_ONCE, async () =>
        server.script({ script: "head -c 20000000 /dev/zero | tee /dev/stderr", maxOutputBytes: 2 ** 20 }),
      ),
    );
    await part("outputs of single letters", async () =>
      inTurns(6, AT_ONCE, async () => server.run({ argv: ["perl", "-e", "$| = 1; print 'x' for 1 .. 100_000"] })),
    );
    await part(`${PAGES} pages without end`, async () =>
      inTurns(PAGES, AT_ONCE, async () => fetchPage(target, { domain: "example.com", port: 8099, path: "/" })),
    );
    await part(`a tree of ${files} files`, async () => {
      await makeTree(source, files);
      await publish(target, source);
    });
  } finally {
    await server.close();
    await rm(source, { recursive: true });
  }
  const highest = Math.max(...Object.values(peaks));
  return { commands, files, startMb: rounded(start / 2 ** 20, 1), peakMb: peaks, highestMb: highest };
}

async function makeTree(source: string, files: number): Promise<void> {
  for (let made = 0; made < files; made += FILES_A_FOLDER) {
    const folder = join(source, `a folder of the release, number ${made / FILES_A_FOLDER}`);
    await mkdir(folder);
    await inTurns(Math.min(FILES_A_FOLDER, files - made), AT_ONCE, async (index) =>
      writeFile(join(folder, `a-file-with-a-name-of-usual-length-${index}.php`), `<?php // ${made + index}\n`),
    );
  }
}

async function publish(target: Target, source: string): Promise<void> {
  const { digest } = await surveyTree(source);
  const after = { digest, from: { source, at: ".", mountPoints: [] } };
  await treeType.apply(target, [{ key: RELEASE, before: null, after }]);
}
