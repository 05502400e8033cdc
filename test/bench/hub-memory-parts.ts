import { setTimeout as delay } from "node:timers/promises";
import { Readable } from "node:stream";
import type { Server, SshServer } from "@hostwright/core";
import type { Target } from "@hostwright/core/plugin";
import { runBatch } from "../../packages/core/src/engine/sessions/batch.ts";
import { fetchPage } from "../../packages/core/src/operations/probe-page.ts";
import { readPaths } from "../../packages/core/src/resources/path-state.ts";
import { surveyTree } from "../../packages/core/src/resources/tree-digest.ts";
import { treeType } from "../../packages/core/src/resources/tree.ts";
import { inTurns } from "../support/in-turns.ts";
import { pathsOfTree } from "./many-files.ts";

/** What the parts work on: a server, which has all that they ask for, and a tree on this machine. */
export interface Ground {
  readonly target: Target;
  readonly server: Server;
  /** Another connection to it. */
  connect(): SshServer;
  readonly source: string;
  readonly files: number;
  readonly commands: number;
  /** Outputs and pages without end. */
  readonly floods: number;
  readonly connections: number;
  /** How long whoever does not read is written to. */
  readonly stallMs: number;
}

const AT_ONCE = 12;
/** As many as one connection has places for. */
const SESSIONS = 6;
const FORWARDS = 32;
/** Plans of one server that are made at the same time. */
const LISTINGS = 3;
/** sshd drops some of those who log in at the same time. */
const LOGINS_AT_ONCE = 5;
const PIECE: Buffer = Buffer.alloc(65_536, "x");
const RELEASE = "/srv/platforms/bench";

/** Ports of the host's own on which it listens. */
export const PORTS = { endless: 8099, wrapped: 8098, deaf: 8097 } as const;

/** Answers with a page that never ends, one whose letters come in long wrappings, and takes what it never reads. */
export const HOSTILE_SITE = `use IO::Socket::INET; $SIG{PIPE} = "IGNORE"; $SIG{CHLD} = "IGNORE";
my ($endless, $wrapped, $deaf) = map { IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $_, Listen => 128, ReuseAddr => 1) or die } (${PORTS.endless}, ${PORTS.wrapped}, ${PORTS.deaf});
my $head = "HTTP/1.1 200 OK\\r\\n";
sub serve { my ($socket, $begin, $piece) = @_;
  return if fork;
  while (my $c = $socket->accept) { next if fork; sysread $c, my $q, 65536; syswrite $c, $begin; 1 while syswrite $c, $piece; exit }
}
serve($endless, "$head\\r\\n<title>Endless</title>", "x" x 65536);
serve($wrapped, $head . "transfer-encoding: chunked\\r\\n\\r\\n", "1;" . "y" x 15000 . "\\r\\nx\\r\\n");
my @held; while (my $c = $deaf->accept) { push @held, $c }`;

/** Each is worked to its end, one after the other or each in a process of its own. */
export const PARTS: Readonly<Record<string, (ground: Ground) => Promise<unknown>>> = {
  commands: async ({ server, commands }) =>
    inTurns(commands, AT_ONCE, async (index) => server.run({ argv: ["echo", String(index)] })),

  "outputs without end, on both ways": async ({ server, floods }) =>
    inTurns(floods, AT_ONCE, async () =>
      server.script({ script: "head -c 20000000 /dev/zero | tee /dev/stderr", maxOutputBytes: 2 ** 20 }),
    ),

  "outputs of single letters": async ({ server, floods }) =>
    inTurns(SESSIONS, SESSIONS, async () =>
      server.run({ argv: ["perl", "-e", `$| = 1; print "x" for 1 .. ${1000 * floods}`] }),
    ),

  "pages without end": async ({ target, floods }) =>
    inTurns(floods, AT_ONCE, async (index) => {
      const port = index % 2 === 0 ? PORTS.endless : PORTS.wrapped;
      return fetchPage(target, { domain: "example.com", port, path: "/" });
    }),

  "hostile listings": async ({ target }) =>
    inTurns(12, LISTINGS, async () => refused(runBatch(target, [["head", "-c", "40000000", "/dev/zero"]]))),

  "many connections": async ({ connect, connections }) => {
    const servers = Array.from({ length: connections }, () => connect());
    await inTurns(connections, LOGINS_AT_ONCE, async (index) => servers[index]?.run({ argv: ["true"] }));
    const run = async (server: SshServer): Promise<unknown> =>
      inTurns(SESSIONS, SESSIONS, async () => server.run({ argv: ["head", "-c", "300000", "/dev/zero"] }));
    await Promise.all(servers.map(run));
    await Promise.all(servers.map(async (server) => server.close()));
  },

  "forwards whose far side never reads": async ({ server, stallMs }) =>
    inTurns(FORWARDS, FORWARDS, async () => {
      const stream = await server.forward({ host: "127.0.0.1", port: PORTS.deaf });
      const source = endless();
      source.pipe(stream);
      await delay(stallMs);
      source.unpipe(stream).destroy();
      stream.destroy();
    }),

  "forwards whose near side never reads": async ({ server, stallMs }) =>
    inTurns(FORWARDS, FORWARDS, async () => {
      const stream = await server.forward({ host: "127.0.0.1", port: PORTS.endless });
      stream.write("GET / HTTP/1.1\r\n\r\n");
      await delay(stallMs);
      stream.destroy();
    }),

  "commands that do not read": async ({ server, stallMs }) =>
    inTurns(SESSIONS, SESSIONS, async () =>
      server.run({ argv: ["sleep", "60"], stdin: endless(), timeoutMs: stallMs }),
    ),

  "a tree is published": async ({ target, source }) => {
    const { digest } = await surveyTree(source);
    const after = { digest, from: { source, at: ".", mountPoints: [] } };
    await treeType.apply(target, [{ key: RELEASE, before: null, after }]);
  },

  "the tree is read back, file by file": async ({ target, files }) => {
    const paths = pathsOfTree(files).map((path) => `${RELEASE}/${path}`);
    const states = await readPaths(target, paths, false);
    if (states.size !== files) throw new Error(`${states.size} of ${files} files stand there`);
  },
};

function endless(): Readable {
  return new Readable({
    read() {
      this.push(PIECE);
    },
  });
}

/** What is too much is refused: that is no fault of the part. */
async function refused(work: Promise<unknown>): Promise<void> {
  const ended = await work.then(
    () => true,
    () => false,
  );
  if (ended) throw new Error("what never ends has ended");
}
