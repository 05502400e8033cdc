/**
 * Perl functions that ask systemd over its own socket, as systemctl does. `systemctl show` costs systemd a millisecond
 * or more a unit, since it asks for every property there is; here many questions go at once, each for one property.
 *
 * `ask([path, interface, member, signature, body], ...)` gives the bodies of the answers in order, undef for an error.
 */
export const SYSTEMD_BUS: string = String.raw`
use Socket;
my ($bus, $serial, $input) = (undef, 0, "");
sub aligned { return $_[0] . "\0" x (-length($_[0]) % $_[1]) }
sub text { return pack("V", length $_[0]) . "$_[0]\0" }
sub tell_bus {
  my ($data) = @_;
  while (length $data) { my $sent = syswrite($bus, $data) or die "systemd: $!\n"; substr($data, 0, $sent) = "" }
}
sub hear { sysread($bus, $input, 65536, length $input) or die "systemd ended the connection\n" }
sub take { hear() while length $input < $_[0]; return substr $input, 0, $_[0], "" }
sub connect_bus {
  socket($bus, PF_UNIX, SOCK_STREAM, 0) && connect($bus, sockaddr_un("/run/systemd/private")) or die "systemd: $!\n";
  tell_bus("\0AUTH EXTERNAL " . unpack("H*", "$>") . "\r\n");
  hear() while index($input, "\r\n") < 0;
  $input =~ s/^OK[^\r]*\r\n// or die "systemd refused the connection\n";
  tell_bus("BEGIN\r\n");
}
sub message {
  my ($path, $interface, $member, $signature, $body) = @_;
  my $fields = "";
  for ([1, "o", $path], [2, "s", $interface], [3, "s", $member]) {
    $fields = aligned($fields, 8) . pack("C", $_->[0]) . "\1$_->[1]\0" . text($_->[2]);
  }
  $fields = aligned($fields, 8) . "\10\1g\0" . pack("C", length $signature) . "$signature\0" if $signature ne "";
  return aligned("l\1\0\1" . pack("VVV", length $body, ++$serial, length $fields) . $fields, 8) . $body;
}
# Gives the serial that is answered, and the body: undef for an error. Signals answer nothing.
sub answer {
  my ($order, $type, $body, undef, $fields) = unpack "a1 C x2 V V V", take(16);
  die "systemd speaks another dialect\n" if $order ne "l";
  my $head = take($fields + -$fields % 8);
  $body = take($body);
  for (my $at = 0; $at < $fields;) {
    my ($code, $kind) = (ord substr($head, $at, 1), substr($head, $at + 2, 1));
    return (unpack("V", substr $head, $at + 4, 4), $type == 2 ? $body : undef) if $code == 5;
    $at += 4;
    $at += $kind eq "u" ? 4 : $kind eq "g" ? 2 + ord substr($head, $at, 1) : 5 + unpack "V", substr $head, $at, 4;
    $at += -$at % 8;
  }
  return (0, undef);
}
sub ask {
  my @answers;
  while (@_) {
    my %open;
    my @calls = splice @_, 0, 200;
    tell_bus(join "", map { my $text = message(@$_); $open{$serial} = @answers; push @answers, undef; $text } @calls);
    while (%open) {
      my ($to, $body) = answer();
      $answers[delete $open{$to}] = $body if exists $open{$to};
    }
  }
  return @answers;
}
sub property { return [$_[0], "org.freedesktop.DBus.Properties", "Get", "ss", aligned(text($_[1]), 4) . text($_[2])] }
# Values of a variant: a string, a flag, a time, a list of strings.
sub value {
  my ($kind, $rest) = unpack "C/a x a*", $_[0] // return;
  my $at = 2 + length $kind;
  if ($kind eq "t") { return unpack "Q<", substr $_[0], $at + -$at % 8 }
  $at += -$at % 4;
  if ($kind =~ /^[bu]$/) { return unpack "V", substr $_[0], $at }
  if ($kind eq "s") { return unpack "V/a", substr $_[0], $at }
  my $end = $at + 4 + unpack "V", substr $_[0], $at;
  return strings(\$_[0], $at + 4, $end);
}
sub strings {
  my ($data, $at, $end) = @_;
  my @found;
  while ($at < $end) { $at += -$at % 4; push @found, unpack "V/a", substr $$data, $at; $at += 5 + length $found[-1] }
  return @found;
}
# Rows of a list of units: id, description, load, active, sub, followed, path, then the type and path of a job.
sub units_of {
  my ($data) = @_;
  my ($at, $end, @rows) = (8, 8 + unpack("V", $data));
  while ($at < $end) {
    $at += -$at % 8;
    my @row;
    for my $field (0 .. 9) {
      $at += -$at % 4;
      if ($field == 7) { $at += 4; next }
      my $length = unpack "V", substr $data, $at, 4;
      push @row, substr $data, $at + 4, $length;
      $at += 5 + $length;
    }
    push @rows, \@row;
  }
  return @rows;
}
`;
