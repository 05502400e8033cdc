import type { PerlProgram } from "./perl.ts";

const COMMON = String.raw`
use strict; use warnings;
use Fcntl qw(:DEFAULT :flock);
binmode STDIN; binmode STDOUT;
$/ = "\0";
# Between an enable and the daemon-reload after it systemd calls every unit outdated: others wait until that is over.
sub lock_units {
  sysopen(my $folder, "/etc/systemd/system", O_RDONLY | O_DIRECTORY) or die "/etc/systemd/system: $!\n";
  flock($folder, $_[0]) or die "/etc/systemd/system: $!\n";
  return $folder;
}
sub field { my $f = <STDIN>; die "the input was cut\n" unless defined $f && chomp $f; return $f }
my @wanted = qw(LoadState UnitFileState ActiveState NeedDaemonReload FragmentPath DropInPaths ActiveEnterTimestamp Triggers);
# Times are compared as text in UTC, to the microsecond: a second would be too coarse for a file and a restart after it.
sub file_times {
  my %times;
  my @files = @_ or return %times;
  local $ENV{TZ} = "UTC";
  open(my $stat, "-|", "stat", "-L", "--printf=%y\t%n\\0", "--", @files) or die "stat: $!\n";
  while (my $line = <$stat>) { chomp $line; my ($time, $file) = split /\t/, $line, 2; $times{$file} = substr $time, 0, 26 }
  close $stat; # a file that has gone is no failure
  return %times;
}
sub states {
  my @names = @_ or return;
  my (%units, %files);
  open(my $show, "-|", "systemctl", "show", "--timestamp=us+utc", "--property=" . join(",", @wanted), "--", @names) or die "systemctl: $!\n";
  my @blocks = do { local $/; split /\n\n/, <$show> // "" };
  close $show or die "systemctl show failed\n";
  die "systemctl show gave " . @blocks . " units instead of " . @names . "\n" if @blocks != @names;
  for my $name (@names) {
    my %unit = map { /^(\w+)=(.*)$/ ? ($1, $2) : () } split /\n/, shift @blocks;
    # What generators write is new at every daemon-reload, and says nothing.
    $unit{files} = [grep { m{^/} && !m{^/run/systemd/generator} } $unit{FragmentPath}, split / /, $unit{DropInPaths}];
    @files{@{$unit{files}}} = ();
    $units{$name} = \%unit;
  }
  my %times = file_times(keys %files);
  for my $name (@names) {
    my $unit = $units{$name};
    my ($since) = $unit->{ActiveEnterTimestamp} =~ /(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6})/;
    $unit->{enabled} = $unit->{UnitFileState} =~ /^enabled/ ? 1 : 0;
    $unit->{active} = $unit->{ActiveState} =~ /^(active|reloading|refreshing)$/ ? 1 : 0;
    $unit->{older} = $unit->{active} && defined $since && $name !~ /\.slice$/
      && (grep { ($times{$_} // "") gt $since } @{$unit->{files}}) ? 1 : 0;
    $unit->{stale} = $unit->{older} || $unit->{NeedDaemonReload} eq "yes" ? 1 : 0;
    $unit->{absent} = $unit->{LoadState} eq "not-found" && !$unit->{active};
    $unit->{state} = $unit->{absent} ? "-" : "$unit->{enabled} $unit->{active} $unit->{stale}";
  }
  return \%units;
}
`;

/** Input: names, ended by NUL. Output: for each `enabled active stale` as digits, or `-`, ended by NUL; then `end`. */
export const READ_UNITS: PerlProgram = {
  what: "read units",
  text: String.raw`${COMMON}
my @names; while (!eof STDIN) { push @names, field() }
my $lock = lock_units(LOCK_SH);
my $units = states(@names);
print "$units->{$_}{state}\0" for @names;
print "end\0";
`,
};

/**
 * Input, ended by NUL each: for every change name, before and after (`*` for an activity that does not matter); then
 * `end`. One systemctl call for each verb, with all names.
 */
export const APPLY_UNITS: PerlProgram = {
  what: "change units",
  text: String.raw`${COMMON}
my @changes;
while ((my $name = field()) ne "end") { push @changes, { name => $name, before => field(), after => field() } }
my @names = map { $_->{name} } @changes;
sub systemctl { my ($verb, @units) = @_; system("systemctl", split(/ /, $verb), "--quiet", "--", @units) if @units }
sub fits {
  my ($unit, $wish) = @_;
  return $unit->{absent} || !($unit->{enabled} || $unit->{active}) if $wish eq "-";
  my ($enabled, $active, $stale) = split / /, $wish;
  return $unit->{enabled} == $enabled && ($active eq "*" || $unit->{active} == $active) && ($stale || !$unit->{stale});
}

my $lock = lock_units(LOCK_EX);
my $units = states(@names);
my (@todo, %list, %held);
for my $change (@changes) {
  my $unit = $units->{$change->{name}};
  my ($was_enabled, $was_active) = $change->{before} eq "-" ? (0, 0) : split / /, $change->{before};
  my ($enabled, $active) = $change->{after} eq "-" ? (0, 0) : split / /, $change->{after};
  if (fits($unit, $change->{after}) && !($unit->{absent} && $change->{after} ne "-")) { $change->{result} = "already"; next }
  # That it became stale is our own doing: the files come before the units.
  my $changed = $unit->{enabled} != $was_enabled && !$unit->{absent}
    || ($active ne "*" && $was_active ne "*" && $unit->{active} != $was_active);
  if ($changed) { $change->{result} = "changed"; next }
  push @todo, $change;
  push @{$list{$enabled ? "enable" : "disable"}}, $change->{name} if $unit->{enabled} != $enabled;
}
# Enabling and a new file are taken up by one reload together: it costs a tenth of a second.
systemctl("$_ --no-reload", @{$list{$_} // []}) for qw(disable enable);
if ($list{enable} || $list{disable} || grep { $units->{$_->{name}}{NeedDaemonReload} eq "yes" } @todo) {
  # A drop-in that was taken away leaves no time behind, only this; after the reload it is forgotten.
  my @behind = grep { $units->{$_}{NeedDaemonReload} eq "yes" && $units->{$_}{active} } @names;
  system("systemctl", "daemon-reload") == 0 or die "systemctl daemon-reload failed\n";
  $units = states(@names);
  $units->{$_}{older} = 1 for @behind;
}
for my $change (@todo) {
  my $unit = $units->{$change->{name}};
  my ($enabled, $active) = $change->{after} eq "-" ? (0, 0) : split / /, $change->{after};
  my $keep = $active eq "*" ? $unit->{active} : $active;
  if (!$keep) { push @{$list{stop}}, $change->{name} if $unit->{active} }
  elsif (!$unit->{active}) { push @{$list{start}}, $change->{name} }
  elsif ($unit->{older} && $change->{name} =~ /\.socket$/) {
    # A socket does not start while its service runs, and its service starts as soon as somebody knocks: both go at once.
    my @held = grep { /\S/ } split / /, $unit->{Triggers};
    push @{$list{stop}}, $change->{name}, @held;
    push @{$list{start}}, $change->{name};
    @held{@held} = ();
  }
  elsif ($unit->{older}) { push @{$list{restart}}, $change->{name} }
}
for my $name (splice @{$list{restart} // []}) { push @{$list{exists $held{$name} ? "start" : "restart"}}, $name }
systemctl($_, @{$list{$_} // []}) for qw(stop start restart);
systemctl("reset-failed", grep { $units->{$_}{ActiveState} eq "failed" } map { $_->{name} } grep { $_->{after} eq "-" } @todo);

my $now = @todo ? states(map { $_->{name} } @todo) : {};
for my $change (@todo) {
  my $unit = $now->{$change->{name}};
  $change->{result} = fits($unit, $change->{after}) ? "done" : "failed";
  next if $change->{result} eq "done";
  $change->{detail} = "it is $unit->{ActiveState} and $unit->{UnitFileState}";
  $change->{detail} .= ", older than its files" if $unit->{older};
  $change->{detail} .= ", and a daemon-reload is wanting" if $unit->{NeedDaemonReload} eq "yes";
}
print $_->{result}, "\0", $_->{detail} // "", "\0" for @changes;
print "end\0";
`,
};
