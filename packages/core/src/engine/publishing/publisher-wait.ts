/**
 * Seconds that a service has to take a generation, as many as systemd gives a unit's reload. Nothing but a server that is
 * slow, or that says nothing of what it does, needs them: a refusal ends the wait.
 */
export const WAIT_SECONDS = 90;

/**
 * Asks for the generation, over HTTP or by a command, until it is `want` or later (or exactly it). One good answer is not
 * enough: nginx lets old workers accept for 100 ms beside the new ones, and a visitor, or a probe of ours, would meet the old
 * site. It ends at once when the main process is gone, as Apache's is when it cannot go on, or says in the log why it stays
 * with what it has, as nginx's does. Of an address in use (98) nginx has said its last word when it says so without that
 * number.
 *
 * Arguments: port and path, or 0 and a command line; wanted generation, exactly it (0 or 1), error log or "", its length
 * before the reload, the main process (0 or "": not known). Exit code 1 when it was not taken; output: what is known of it.
 */
export const AWAIT: string = String.raw`
use strict; use warnings; use IO::Socket::INET;
my ($port, $how, $want, $exact, $log, $read, $main) = @ARGV;
my ($until, $good, $last) = (time + ${WAIT_SECONDS}, 0, "");
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
# What the work gives within 2 s; else it is ended.
sub soon {
  my ($work, $end) = @_;
  my $answer = eval { local $SIG{ALRM} = sub { $end->(); die }; alarm 2; my $all = $work->(); alarm 0; $all };
  alarm 0;
  $answer // "";
}
sub by_http {
  my $answer = soon(sub {
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die;
    print $socket "GET $how HTTP/1.0\r\nHost: localhost\r\n\r\n"; $socket->flush;
    local $/; <$socket>;
  }, sub {});
  $answer =~ m{^HTTP/\S+ \d+ .*?\r?\n\r?\n(\d+)\s*$}s ? $1 : undef;
}
# In a group of its own, of which nothing is left when it takes too long.
sub by_command {
  my $pid = open(my $out, "-|") // return undef;
  if (!$pid) {
    setpgrp; open STDIN, "<", "/dev/null"; open STDERR, ">&", \*STDOUT;
    no warnings; exec "/bin/sh", "-c", $how or exit 127;
  }
  my $answer = soon(sub { local $/; my $all = <$out>; close $out; $all }, sub { kill KILL => -$pid });
  close $out;
  $last = substr $answer, 0, 500 if $answer ne "";
  $? == 0 && $answer =~ /^\D*(\d+)\D*$/ ? $1 : undef;
}
while (time <= $until) {
  my $seen = $port ? by_http() : by_command();
  $good = !defined $seen || ($exact ? $seen != $want : $seen < $want) ? 0 : $good + 1;
  exit 0 if $good == 15;
  if (!$good && gave_up()) { print @said; exit 1 }
  select undef, undef, undef, 0.01;
}
print "it did not answer with it within ${WAIT_SECONDS} s", $last eq "" ? "" : "; its last answer: $last";
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
