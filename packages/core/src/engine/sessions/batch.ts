import type { Target } from "../../contracts/resource.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { askPerl, type PerlProgram } from "../../resources/perl.ts";

export interface BatchResult {
  /** 127 for a program that is not there. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Input: for each command the number of its words, then the words, all ended by NUL. All run at once; the output is for
 * each, in order: `exit code NUL length of stdout NUL length of stderr NUL`, then both as they came.
 */
const BATCH: PerlProgram = {
  what: "read facts",
  text: String.raw`
use strict; use warnings; use IO::Select;
binmode STDIN; binmode STDOUT;
my @commands;
{ local $/ = "\0"; while (defined(my $count = <STDIN>)) { chomp $count; push @commands, [map { my $w = <STDIN>; chomp $w; $w } 1 .. $count] } }
my (%stream, @done); my $select = IO::Select->new;
for my $index (0 .. $#commands) {
  pipe(my $out, my $out_end) && pipe(my $err, my $err_end) or die "pipe: $!\n";
  my $pid = fork // die "fork: $!\n";
  if (!$pid) {
    open(STDIN, "<", "/dev/null"); open(STDOUT, ">&", $out_end); open(STDERR, ">&", $err_end);
    no warnings; exec { $commands[$index][0] } @{$commands[$index]} or do { print STDERR "$commands[$index][0]: $!\n"; require POSIX; POSIX::_exit(127) };
  }
  close $out_end; close $err_end;
  $done[$index] = { pid => $pid, out => "", err => "" };
  $stream{fileno $out} = \$done[$index]{out}; $stream{fileno $err} = \$done[$index]{err};
  $select->add($out, $err);
}
while ($select->count) {
  for my $handle ($select->can_read) {
    my $text = $stream{fileno $handle};
    sysread($handle, $$text, 65536, length $$text) or do { $select->remove($handle); close $handle };
  }
}
for my $one (@done) {
  waitpid $one->{pid}, 0;
  my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;
  print "$code\0", length $one->{out}, "\0", length $one->{err}, "\0", $one->{out}, $one->{err};
}
`,
};

/** Runs many commands side by side in one round trip; a failure of one is its result, not an error. */
export async function runBatch(
  target: Target,
  commands: readonly (readonly string[])[],
): Promise<readonly BatchResult[]> {
  if (commands.length === 0) return [];
  const words = commands.flatMap((argv) => [String(argv.length), ...argv]);
  const result = await askPerl(target, BATCH, words.map((word) => `${word}\0`).join(""));
  return parseBatch(target.server.name, result.stdout, commands.length);
}

function parseBatch(server: string, output: Buffer, count: number): readonly BatchResult[] {
  const results: BatchResult[] = [];
  let at = 0;
  const number = (): number => {
    const end = output.indexOf(0, at);
    const value = end < 0 ? Number.NaN : Number(output.toString("latin1", at, end));
    at = end + 1;
    return value;
  };
  const text = (length: number): string => output.toString("utf8", at, (at += length));
  while (results.length < count) {
    const [exitCode, out, err] = [number(), number(), number()];
    if (Number.isNaN(err) || at + out + err > output.length) {
      throw new HostwrightError(
        "HW_COMMAND_FAILED",
        `Facts of ${server} could not be read: the answer was cut. Nothing was changed.`,
        {
          server,
          retryable: true,
        },
      );
    }
    results.push({ exitCode, stdout: text(out), stderr: text(err) });
  }
  return results;
}
