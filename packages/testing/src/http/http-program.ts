export const PROGRAM_SOCKET = "/run/tested-program/http.sock";

/** Stands for a site's program: it tells what it was asked, one connection a process, and upgrades to an echo of one line. */
export const PROGRAM: string = String.raw`use strict; use IO::Socket::UNIX; $SIG{CHLD} = "IGNORE"; unlink "${PROGRAM_SOCKET}";
my $listening = IO::Socket::UNIX->new(Local => "${PROGRAM_SOCKET}", Listen => 50) or die $!;
while (my $c = $listening->accept) {
  next if fork; $c->autoflush(1);
  my ($first, %h) = scalar <$c>; $first =~ s/ HTTP\S*\r\n//;
  while (my $line = <$c>) { last if $line eq "\r\n"; $h{lc $1} .= $2 if $line =~ /^([^:]+): *(.*?)\r\n/ }
  if (($h{upgrade} // "") eq "echo") { print $c "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"; print $c scalar <$c>; exit }
  my ($length, $part) = (0);
  if (defined $h{"content-length"}) { while ($length < $h{"content-length"} and read($c, $part, 65536 < $h{"content-length"} - $length ? 65536 : $h{"content-length"} - $length)) { $length += length $part } }
  elsif (($h{"transfer-encoding"} // "") eq "chunked") { while (my $size = hex <$c>) { read $c, $part, $size + 2; $length += $size } }
  my $told = join "", "$first\n", map({ "$_: " . ($h{$_} // "-") . "\n" } qw(host x-forwarded-for x-forwarded-host x-forwarded-proto proxy authorization)), "body: $length\n";
  print $c "HTTP/1.1 200 OK\r\nX-App: program\r\nContent-Length: ", length $told, "\r\nConnection: close\r\n\r\n", $told; exit;
}
`;
