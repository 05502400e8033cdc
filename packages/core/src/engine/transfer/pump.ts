/**
 * Stands beside a program at one end of a transfer, as its user and in its sandbox. Arguments: `send` or `receive`, and the
 * seconds without a byte after which its program stands still.
 *
 * Input: a line of numbers, the lengths of login, input, trailer (of a source; empty for none) and each word of the program,
 * then all of these. The program finds
 * the login at /dev/fd/3.
 *
 * Between the two goes a stream of frames: a length of 4 bytes, then so many bytes. A length of 0 is the end, followed by a
 * line `ENDED SEEN GIVEN`: exit code or `stalled`, whether the trailer was seen (1 or 0), bytes. A length of all ones only
 * shows that the sender lives, each second: where nobody listens any longer that ends it.
 *
 * `send` gives its program's output as frames; the program's input is what came as such. `receive` gives the frames that
 * follow its input to its program, whose own input ends only after a whole stream; else the program is killed. It prints
 * `taken BYTES`, each second at most, and in the end `source ENDED SEEN GIVEN`, `sink ENDED` and `unread BYTES`: ENDED of a
 * source is also `broken` (no end came) or `-` (not waited for), of a sink also `stopped`.
 *
 * No sequence of a dollar and a brace, nor two dollars: systemd would put something in their place.
 */
export const PUMP: string = String.raw`
use strict; use POSIX ":sys_wait_h"; use Fcntl;
my ($mode, $idle) = @ARGV;
my ($child, $code, $told) = (0, undef, 0);
my ($taken, $given, $tick) = (0, 0, sub {});
my $alive = "\xff\xff\xff\xff";
# What is to be the program's fd 3 may be that already.
$^F = 3;
binmode $_ for *STDIN, *STDOUT;
$SIG{PIPE} = "IGNORE"; $SIG{CHLD} = sub {}; $SIG{TERM} = sub { halt(); POSIX::_exit(3) };

# Above 0 when it can be read or written, 0 after a second, below 0 when something else happened.
sub ready { my ($handle, $write) = @_; my $set = ""; vec($set, fileno $handle, 1) = 1;
  return $write ? select(undef, $set, undef, 1) : select($set, undef, undef, 1) }
sub whole { my ($to, $text) = @_; my $at = 0;
  while ($at < length $text) { my $n = syswrite($to, $text, length($text) - $at, $at); if (defined $n) { $at += $n } elsif (!$!{EINTR}) { return 0 } }
  return 1 }
sub put { whole(\*STDOUT, $_[0]) or do { halt(); POSIX::_exit(4) } }
# So many bytes of the input; undef when it ends before, or nobody at its other end lives.
sub get { my ($bytes) = @_; my ($text, $silent) = ("", 0);
  while (length $text < $bytes) {
    $tick->(); my $is = ready(\*STDIN);
    return undef if $is == 0 && ++$silent > $idle + 10;
    next if $is <= 0; $silent = 0;
    my $n = sysread(STDIN, $text, $bytes - length $text, length $text);
    next if !defined $n && $!{EINTR};
    return undef if !$n;
  }
  return $text }
sub line { my $text = ""; while (length $text < 65536) { my $letter = get(1); return undef if !defined $letter; return $text if $letter eq "\n"; $text .= $letter } return undef }

# A pipe that holds the text, and ends.
sub holding { my ($text) = @_; pipe(my $read, my $write) or die "pipe: $!\n";
  my $pid = fork // die "fork: $!\n";
  if (!$pid) { $SIG{TERM} = "DEFAULT"; close $read; whole($write, $text); POSIX::_exit(0) }
  return $read }
sub halt { return if !$child; kill "KILL", -$child; kill "KILL", $child; 
  # What waits for a disk does not die of that, and is not waited for.
  for (1 .. 100) { return if over(); select(undef, undef, undef, 0.05) } $code = 137 }
sub over { return 1 if defined $code; return 0 if waitpid($child, WNOHANG) != $child;
  $code = $? & 127 ? 128 + ($? & 127) : $? >> 8; return 1 }
sub start { my ($words, $login, $in, $out) = @_;
  $child = fork // die "fork: $!\n"; return if $child;
  setpgrp(0, 0); $SIG{$_} = "DEFAULT" for qw(PIPE CHLD TERM);
  POSIX::dup2(fileno $in, 0); POSIX::dup2(fileno $out, 1); POSIX::dup2(fileno $login, 3);
  no warnings; exec { $words->[0] } @$words or do { print STDERR "$words->[0]: $!\n"; POSIX::_exit(127) } }
# Waits for the program's end as long as for a byte.
sub ended { for my $look (1 .. 20 * $idle) { return 1 if over(); $tick->(); select(undef, undef, undef, 0.05) } return over() }

my ($login, $input, $trailer, @words) = map { get($_) // exit 5 } split / /, line() // exit 5;
($login, $input) = (holding($login), holding($input));

sub send_all {
  pipe(my $from, my $to) or die "pipe: $!\n";
  start(\@words, $login, $input, $to); close $to; close $input; close $login;
  my ($quiet, $tail) = (0, "");
  my $end = sub { my ($how) = @_; halt();
    my $text = $tail =~ /\A(.*\S)/s ? $1 : ""; my $at = rindex($text, "\n") + 1;
    my $begins = $at > 0 || $given == length $tail;
    my $seen = $trailer eq "" || ($begins && index(substr($text, $at), $trailer) == 0) ? 1 : 0;
    put(pack("N", 0) . "$how $seen $given\n"); POSIX::_exit(0) };
  while (1) {
    my $is = ready($from);
    if ($is <= 0) { if ($is == 0) { put($alive); $end->("stalled") if ++$quiet >= $idle } next }
    my $n = sysread($from, my $chunk, 65536);
    next if !defined $n && $!{EINTR};
    last if !$n;
    ($quiet, $given) = (0, $given + $n);
    $tail = substr($tail . $chunk, -65536) if $trailer ne "";
    put(pack("N", $n) . $chunk);
  }
  $tick = sub { my $now = time; put($alive) if $now != $told; $told = $now };
  $end->(ended() ? $code : "stalled") }

sub receive_all {
  pipe(my $in, my $to) or die "pipe: $!\n";
  start(\@words, $login, $in, \*STDERR); close $login; close $input;
  fcntl($to, F_SETFL, O_WRONLY | O_NONBLOCK);
  my $end = sub { my ($source, $sink) = @_;
    # It did not end by itself: what it would make of an end of its input nobody knows.
    $sink //= over() ? $code : "stopped"; halt();
    my $left = pack("i", 0); my $unread = ioctl($in, 0x541B, $left) ? unpack("i", $left) : 0;
    put("taken $taken\nsource $source\nsink $sink\nunread $unread\n"); POSIX::_exit(0) };
  my $tell = sub { my $now = time; put("taken $taken\n") if $now != $told; $told = $now };
  $tick = sub { $tell->(); $end->("- 0 0") if over() && $code };
  while (1) {
    my $size = get(4) // $end->("broken 0 0");
    next if $size eq $alive;
    $size = unpack("N", $size);
    last if !$size;
    $end->("broken 0 0") if $size > 1048576;
    my $chunk = get($size) // $end->("broken 0 0");
    my ($at, $quiet) = (0, 0);
    while ($at < $size) {
      $tick->();
      my $n = syswrite($to, $chunk, $size - $at, $at);
      if (defined $n) { ($at, $taken, $quiet) = ($at + $n, $taken + $n, 0); next }
      my $full = $!{EAGAIN} || $!{EINTR};
      $end->("- 0 0") if over() || !$full;
      $end->("- 0 0", over() ? undef : "stalled") if ready($to, 1) == 0 && ++$quiet >= $idle;
    }
  }
  $tick = $tell;
  my $said = line() // $end->("broken 0 0");
  my ($how, $seen, $sent) = split / /, $said;
  $end->($said) if $how ne "0" || !$seen || $sent != $taken;
  close $to;
  $end->($said, ended() ? undef : "stalled") }

$mode eq "send" ? send_all() : receive_all();
`;
