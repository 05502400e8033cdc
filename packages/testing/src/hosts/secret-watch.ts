import { strict as assert } from "node:assert";
import { inspect } from "node:util";
import { sh, type TestedHost } from "./host.ts";
import { SECRET_MARK } from "../resources/target.ts";

// Looks at every process as fast as it can, until it is told to stop; prints what held the mark.
const LOOK = String.raw`
my ($mark, $stop) = (scalar <STDIN>, $ARGV[0]); chomp $mark; local $/; my %seen;
until (-e $stop) {
  for my $file (glob "/proc/[0-9]*/cmdline /proc/[0-9]*/environ") {
    open my $handle, "<", $file or next;
    my $text = <$handle> // "";
    if (index($text, $mark) >= 0 && !$seen{$text}++) { $text =~ tr/\0/ /; print "$file: $text\n"; }
  }
}
`;

/** Commands and environments on the host that held the mark of a secret while the work was done. */
export async function secretsSeenDuring(host: TestedHost, work: () => Promise<void>): Promise<string> {
  const stop = `/run/stop-looking-${crypto.randomUUID()}`;
  const looking = host.exec(["perl", "-e", LOOK, stop], { input: `${SECRET_MARK}\n` });
  try {
    await work();
  } finally {
    await sh(host, `touch ${stop}`);
  }
  const { stdout } = await looking;
  await sh(host, `rm -f ${stop}`);
  return stdout;
}

/** No text of what is given holds a secret: an error with all that hangs on it, a diff, the words of commands. */
export function assertNoSecret(what: string, ...values: readonly unknown[]): void {
  for (const value of values) {
    const text = typeof value === "string" ? value : inspect(value, { depth: 10, showHidden: true });
    const at = text.indexOf(SECRET_MARK);
    assert.ok(at < 0, `${what} holds a secret: ${text.slice(Math.max(0, at - 60), Math.max(0, at))}...`);
  }
}
