/** Seconds after which a search decides no more: what it did not come to is quarantined. */
export const SEARCH_SECONDS = 120;

/**
 * Finds the entries that a web server's test refuses (decisions.md D18), when all of them together were refused and none
 * of them passes. In their order each is added to those before it: half of the rest at a time, so that each refused one
 * costs log2(n) + 2 tests at most, and what is refused only beside an earlier one is the later one. A generation that was not
 * tested as it stands never comes out.
 *
 * Arguments: the new generation's folder, that in force (may be absent), a folder for the other copies, seconds, what the
 * test said of all, names between line breaks, then the test's argv. Output: a line for each refused entry, `name reason` with
 * tabs for the line breaks of the reason; exit code 1 when even without them it is refused.
 */
export const SEARCH: string = String.raw`
use strict; use warnings;
my ($live, $former, $aside, $seconds, $said, $list, @test) = @ARGV;
my @names = split /\n/, $list;
my $until = time + $seconds;
my (%quarantined, %stands);
mkdir "$aside$_" or die "$aside$_: $!\n" for "", "/new", "/old";
for my $name (@names) {
  $stands{$name} = "new";
  if (-f "$former/$name") { link "$former/$name", "$aside/old/$name" or die "$name: $!\n" }
}
sub put_up {
  my ($name, $side) = @_;
  return if $stands{$name} eq $side;
  for (["$live/$name", "$aside/$stands{$name}/$name"], ["$aside/$side/$name", "$live/$name"]) {
    my ($from, $to) = @$_;
    if (-e $from) { rename $from, $to or die "$name: $!\n" }
  }
  $stands{$name} = $side;
}
# The first of them, without the refused ones, beside what is in force of the others.
sub arrange { my ($count) = @_; put_up($names[$_], $_ < $count && !$quarantined{$names[$_]} ? "new" : "old") for 0 .. $#names }
sub passes {
  arrange(@_);
  my $pid = open(my $out, "-|") // die "fork: $!\n";
  if (!$pid) {
    open STDERR, ">&", \*STDOUT;
    no warnings; exec { $test[0] } @test or do { require POSIX; POSIX::_exit(127) };
  }
  local $/; $said = <$out> // "";
  close $out;
  return $? == 0;
}
my ($good, $all) = (0, scalar @names);
while ($good < $all) {
  my ($bad, $why) = ($all, $said);
  while ($bad - $good > 1 && time < $until) {
    my $half = ($good + $bad) >> 1;
    if (passes($half)) { $good = $half } else { ($bad, $why) = ($half, $said) }
  }
  if ($bad - $good > 1) { $quarantined{$_} = "it was not tried: the search took too long" for @names[$good .. $all - 1]; $good = $all }
  else { $quarantined{$names[$good]} = $why; $good = $bad }
  next if !passes($all);
  # One that was refused beside what was in force may fit what has taken its place.
  for my $name (grep { $quarantined{$_} && time < $until } @names) {
    my $reason = delete $quarantined{$name};
    $quarantined{$name} = $reason if !passes($all);
  }
  arrange($all);
  for my $name (grep { $quarantined{$_} } @names) {
    my $reason = substr $quarantined{$name}, 0, 1000;
    $reason =~ s/\s*\n\s*/\t/g; $reason =~ s/[^\t\x20-\x7e\x80-\xff]/ /g;
    print "$name $reason\n";
  }
  exit 0;
}
exit 1;
`;
