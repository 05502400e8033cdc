import { Duplex, PassThrough } from "node:stream";
import type { Command, CommandResult } from "../model/server.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { harmless } from "./harmless.ts";
import { within } from "./within.ts";

export interface RelayAddress {
  readonly path: string;
  readonly user: string;
}

const REFUSED = 3;
const DENIED = 4;
/** A socket whose queue is full lets nobody in and says nothing. */
const CONNECT_MS = 30_000;

/**
 * Copies between its own input and output and a unix socket, a process for each direction: one alone could wait for a
 * peer that waits for it. The first byte says that it is connected.
 */
const RELAY = String.raw`
use strict; use warnings; use IO::Socket::UNIX; use Errno;
my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]);
if (!$socket) { print STDERR "$!\n"; exit($!{EACCES} || $!{EPERM} ? ${DENIED} : ${REFUSED}); }
sub copy {
  my ($from, $to) = @_;
  while (sysread $from, my $bytes, 65536) {
    for (my $at = 0; $at < length $bytes;) { $at += syswrite($to, $bytes, length($bytes) - $at, $at) // return }
  }
}
$SIG{PIPE} = "IGNORE";
syswrite STDOUT, "\0";
my $parent = $$;
defined(my $child = fork) or die "$!\n";
if ($child == 0) { copy($socket, \*STDOUT); kill "TERM", $parent; exit 0; }
copy(\*STDIN, $socket);
shutdown $socket, 1;
waitpid $child, 0;
`;

/** A stream to a unix socket whose other end sees another user than the login as its peer. */
export async function relay(
  server: string,
  { path, user }: RelayAddress,
  run: (command: Command) => Promise<CommandResult>,
  connectMs: number = CONNECT_MS,
): Promise<Duplex> {
  const input = harmless(new PassThrough());
  const output = harmless(new PassThrough());
  const stop = new AbortController();
  const ended = run({
    argv: ["perl", "-e", RELAY, path],
    user,
    stdin: input,
    stdout: output,
    timeoutMs: Number.MAX_SAFE_INTEGER,
    signal: stop.signal,
  });
  const over = ended.then(
    () => output.end(),
    (error: unknown) => output.destroy(error as Error),
  );
  const connected = await within(connectMs, Promise.race([firstByte(output), over.then(() => false)]));
  if (connected === undefined) stop.abort();
  if (connected !== true) throw refused(server, { path, user }, await ended);
  return joined(input, output, () => stop.abort());
}

/** One stream of two, which takes both with it when it is destroyed. */
function joined(input: PassThrough, output: PassThrough, close: () => void): Duplex {
  const stream = harmless(
    new Duplex({
      write: (chunk: Buffer, _encoding, done) => void input.write(chunk, done),
      final: (done) => void input.end(done),
      read: () => void output.resume(),
      destroy: (error, done) => {
        close();
        input.destroy();
        output.destroy();
        done(error);
      },
    }),
  );
  output.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) output.pause();
  });
  output.once("end", () => stream.push(null));
  output.once("error", (error) => stream.destroy(error));
  // It may have been lost since its first byte.
  if (output.errored !== null) stream.destroy(output.errored);
  return stream;
}

async function firstByte(output: PassThrough): Promise<boolean> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (output.read(1) === null) return;
      output.off("readable", look);
      resolve(true);
    };
    output.on("readable", look);
  });
}

function refused(server: string, { path, user }: RelayAddress, result: CommandResult): HostwrightError {
  const { exitCode, stderr, aborted } = result;
  const details = { server, output: stderr.slice(0, 2000), data: { address: { path, user } } };
  if (exitCode === DENIED) {
    return new HostwrightError(
      "HW_PERMISSION_DENIED",
      `Access to ${path} on ${server} as ${user} was refused.`,
      details,
    );
  }
  if (exitCode === REFUSED || aborted) {
    const message = `Nothing answers at ${path} on ${server}${aborted ? " in time" : ""}.`;
    return new HostwrightError("HW_SOCKET_UNREACHABLE", message, { ...details, retryable: true });
  }
  const message = `${path} on ${server} could not be reached as ${user}: ${stderr.trim().slice(0, 200)}`;
  return new HostwrightError("HW_COMMAND_FAILED", message, details);
}
