/**
 * Seconds that a web server has to take a generation, as many as systemd gives a unit's reload. Nothing but a server that is
 * slow, or that says nothing of what it does, needs them: a refusal ends the wait.
 */
export const WAIT_SECONDS = 90;

/**
 * Asks for the generation until it is `want` or later (or exactly it). One good answer is not enough: nginx lets old workers
 * accept for 100 ms beside the new ones, and a visitor, or a probe of ours, would meet the old site. It ends at once when the
 * main process is gone, as Apache's is when it cannot go on, or says in the log why it stays with what it has, as nginx's
 * does. Of an address in use (98) nginx has said its last word when it says so without that number.
 *
 * Arguments: port, path, wanted generation, exactly it (0 or 1), error log or "", its length before the reload, the main
 * process (0 or "": not known). Exit code 1 when it was not taken; output: what is known of it.
 */
export const AWAIT: string = String.raw`
use strict; use warnings; use IO::Socket::INET;
my ($port, $path, $want, $exact, $log, $read, $main) = @ARGV;
my ($until, $good) = (time + ${WAIT_SECONDS}, 0);
my ($new, @said);
if (open $new, "<", $log) { seek $new, $read, 0 } else { undef $new }
sub gave_up {
  my $over = $main && !-d "/proc/$main";
  seek $new, 0, 1 if $new;
  while ($main && $new && defined(my $line = <$new>)) {
    # One that is still being written is read again.
    if ($line !~ /\n\z/) { seek $new, -length $line, 1; last }
    next if $line !~ /\[(?:\w+:)?emerg\].*?\b$main\b/;
    push @said, $line;
    $over ||= $line !~ /\(98: /;
  }
  push @said, "its main process is gone" if $over && !@said;
  $over;
}
while (time <= $until) {
  my $answer = eval {
    local $SIG{ALRM} = sub { die }; alarm 2;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die;
    print $socket "GET $path HTTP/1.0\r\nHost: localhost\r\n\r\n"; $socket->flush;
    local $/; my $all = <$socket>; alarm 0; $all;
  };
  alarm 0;
  my ($seen) = ($answer // "") =~ m{^HTTP/\S+ \d+ .*?\r?\n\r?\n(\d+)\s*$}s;
  $good = !defined $seen || ($exact ? $seen != $want : $seen < $want) ? 0 : $good + 1;
  exit 0 if $good == 15;
  if (!$good && gave_up()) { print @said; exit 1 }
  select undef, undef, undef, 0.01;
}
print "it did not answer with it within ${WAIT_SECONDS} s";
exit 1;
`;

/** Waits until nobody listens on a port, for at most 30 s. */
export const FREE: string = String.raw`
use strict; use warnings; use IO::Socket::INET;
my $until = time + 30;
while (time <= $until) {
  exit 0 if IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => $ARGV[0], Listen => 1, ReuseAddr => 1);
  select undef, undef, undef, 0.005;
}
exit 1;
`;
