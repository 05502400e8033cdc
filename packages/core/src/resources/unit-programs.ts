import type { PerlProgram } from "./perl.ts";
import { SYSTEMD_BUS } from "./systemd-bus.ts";

const COMMON = String.raw`
use strict; use warnings;
use Fcntl qw(:DEFAULT :flock);
binmode STDIN; binmode STDOUT;
$/ = "\0";
${SYSTEMD_BUS}
# Between an enable and the daemon-reload after it systemd calls every unit outdated: others wait until that is over.
sub lock_units {
  sysopen(my $folder, "/etc/systemd/system", O_RDONLY | O_DIRECTORY) or die "/etc/systemd/system: $!\n";
  flock($folder, $_[0]) or die "/etc/systemd/system: $!\n";
  return $folder;
}
sub field { my $f = <STDIN>; die "the input was cut\n" unless defined $f && chomp $f; return $f }
my $manager = "/org/freedesktop/systemd1";
sub manager { my ($member, @rest) = @_; return [$manager, "org.freedesktop.systemd1.Manager", $member, @rest ? @rest : ("", "")] }
sub of_manager { return property($manager, "org.freedesktop.systemd1.Manager", $_[0]) }
sub of_units { my ($name, @units) = @_; my @all = ask(map { property($_->{path}, "org.freedesktop.systemd1.Unit", $name) } @units); return @all }

# When files were last written, and last changed in any way: microseconds by path. perl-base itself knows seconds only.
sub file_times {
  my %times;
  my @files = @_ or return %times;
  open(my $stat, "-|", "stat", "-L", "--printf=%.6Y %.6Z\t%n\\0", "--", @files) or die "stat: $!\n";
  while (my $line = <$stat>) {
    chomp $line;
    my ($both, $file) = split /\t/, $line, 2;
    $times{$file} = [map { s/\.//r } split / /, $both];
  }
  close $stat; # a file that has gone is no failure
  return %times;
}
sub entries { my ($folder) = @_; opendir(my $handle, $folder) or return; return map { "$folder/$_" } grep { !/^\.\.?$/ } readdir $handle }

# What links in /etc or /run enable, as systemd judges: from a folder of dependencies or by another name. It computes the
# same anew for each unit that it is asked about, which takes milliseconds.
sub enabled_names {
  my (%enabled, @never);
  for my $link (map { entries($_) } "/etc/systemd/system", map { "/run/systemd/$_" } qw(system generator generator.early generator.late)) {
    if ($link =~ /\.(wants|requires|upholds)$/) { $enabled{(split m{/}, $_)[-1]} = 1 for entries($link) }
    elsif (-l $link) {
      my ($name, $target) = map { (split m{/}, $_)[-1] } $link, readlink $link;
      if ($target eq "null") { push @never, $name } elsif ($name ne $target) { $enabled{$target} = 1 }
    }
    # A unit that is made anew at each boot can be neither enabled nor disabled.
    elsif ($link =~ m{/generator[^/]*/([^/]+)$}) { push @never, $1 }
  }
  delete @enabled{@never};
  return %enabled;
}

# Folders of units and all drop-ins: when nothing of these changed since systemd read its units, only a unit's own file
# can have. What generators write is new at every daemon-reload, and says nothing.
sub common_files {
  my @folders = grep { !m{/(transient|generator[^/]*)$} && -d } @_;
  my @drop_ins = grep { /\.d$/ } map { entries($_) } @folders;
  return @folders, @drop_ins, map { entries($_) } @drop_ins;
}

sub states {
  my @names = @_ or return;
  connect_bus() if !defined $bus;
  my ($listed, $loaded_at, $folders) = ask(manager("ListUnits"), of_manager("UnitsLoadTimestamp"), of_manager("UnitPath"));
  my %loaded = map { $_->[0] => $_ } units_of($listed // die "systemd does not list its units\n");
  # A clock of files ticks in milliseconds, and one reload takes up what another call wrote meanwhile.
  $loaded_at = value($loaded_at) - 20_000;
  # A unit that systemd does not hold is stopped, and asking for it would have it read each time.
  my %idle = map { $_ => [$_, "", "loaded", "inactive"] } grep { my $file = "/etc/systemd/system/$_"; !$loaded{$_} && -f $file && !-l $file } @names;
  my @others = grep { !$loaded{$_} && !$idle{$_} } @names;
  my $list = "";
  $list = aligned($list, 4) . text($_) for @others;
  my ($found) = @others ? ask(manager("ListUnitsByNames", "as", pack("V", length $list) . $list)) : ();
  my @found = @others ? units_of($found // die "systemd does not find units\n") : ();
  die "systemd gave " . @found . " units instead of " . @others . "\n" if @found != @others;
  my %row; @row{@others} = @found;
  my (%units, @known);
  for my $name (@names) {
    my $row = $loaded{$name} // $idle{$name} // $row{$name};
    my $unit = $units{$name} //= { id => $row->[0], LoadState => $row->[2], ActiveState => $row->[3], path => $row->[6] };
    # Whoever asked for a start may be gone: systemd goes on with it all the same, and an undo has to know.
    my $starting = ($row->[7] // "") =~ /^(start|restart)$/;
    $unit->{active} = $starting || $unit->{ActiveState} =~ /^(active|reloading|refreshing)$/ ? 1 : 0;
    # One that fails and is to be started again does not run, and will all the same unless it is stopped.
    $unit->{rests} = !$starting && $unit->{ActiveState} =~ /^(inactive|failed)$/ ? 1 : 0;
    # What systemd holds no longer than for this question cannot be out of date.
    push @known, $unit if $loaded{$unit->{id}} || $unit->{active};
  }
  my @fragments = of_units("FragmentPath", @known);
  $known[$_]{fragment} = value($fragments[$_]) // "" for 0 .. $#known;
  my @active = grep { $_->{active} } @known;
  my ($since, $drop_ins) = map { my @all = of_units($_, @active); \@all } qw(ActiveEnterTimestamp DropInPaths);
  for (0 .. $#active) {
    $active[$_]{since} = value($since->[$_]) // 0;
    $active[$_]{files} = [grep { m{^/} && !m{^/run/systemd/generator} } $active[$_]{fragment}, value($drop_ins->[$_])];
  }
  my @common = common_files(value($folders));
  my %times = file_times(keys %{{ map { $_ => 1 } @common, map { ($_->{fragment} || (), @{$_->{files} // []}) } @known }});
  my $all = grep { ($times{$_} // [0, 0])->[1] >= $loaded_at } @common;
  my @asked = grep { $all || $_->{fragment} !~ m{^/(etc|run/systemd/system|usr)/} || ($times{$_->{fragment}}[1] // $loaded_at) >= $loaded_at } @known;
  my @reloads = of_units("NeedDaemonReload", @asked);
  $asked[$_]{reload} = value($reloads[$_]) for 0 .. $#asked;
  my %enabled = enabled_names();
  for my $unit (values %units) {
    $unit->{enabled} = $enabled{$unit->{id}} ? 1 : 0;
    $unit->{older} = $unit->{active} && $unit->{since} && $unit->{id} !~ /\.slice$/
      && (grep { ($times{$_} // [0])->[0] > $unit->{since} } @{$unit->{files}}) ? 1 : 0;
    $unit->{stale} = $unit->{older} || $unit->{reload} ? 1 : 0;
    $unit->{absent} = $unit->{LoadState} eq "not-found" && !$unit->{active};
    my $activity = $unit->{active} || $unit->{rests} ? $unit->{active} : "r";
    $unit->{state} = $unit->{absent} ? "-" : "$unit->{enabled} $activity $unit->{stale}";
  }
  return \%units;
}
`;

/**
 * Input: names, ended by NUL. Output: for each `enabled active stale` as digits, or `-`, ended by NUL; then `end`. `active`
 * is `r` between an end and the next start.
 */
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
 * Input, ended by NUL each: for every change name, before and after (activity `*`: does not matter); then
 * `end`. One systemctl call for each verb, with all names.
 */
export const APPLY_UNITS: PerlProgram = {
  what: "change units",
  text: String.raw`${COMMON}
my @changes;
while ((my $name = field()) ne "end") { push @changes, { name => $name, before => field(), after => field() } }
my @names = map { $_->{name} } @changes;
# systemctl would also change the links of init scripts, first and in many steps. Where there is a unit nobody reads them.
$ENV{SYSTEMCTL_SKIP_SYSV} = 1;
sub systemctl { my ($verb, @units) = @_; system("systemctl", split(/ /, $verb), "--quiet", "--", @units) if @units }
sub fits {
  my ($unit, $wish) = @_;
  return $unit->{absent} || (!$unit->{enabled} && $unit->{rests}) if $wish eq "-";
  my ($enabled, $active, $stale) = split / /, $wish;
  my $is_so = $active eq "*" || ($active eq "r" ? !$unit->{rests} : $active ? $unit->{active} : $unit->{rests});
  return $unit->{enabled} == $enabled && $is_so && ($stale || !$unit->{stale});
}
# Nobody but systemd itself stopped or started it since it was read.
sub flaps {
  my ($unit) = @_;
  return 0 if $unit->{rests} || $unit->{id} !~ /\.service$/;
  return $unit->{ActiveState} eq "activating" if !$unit->{active};
  return value((ask(property($unit->{path}, "org.freedesktop.systemd1.Service", "NRestarts")))[0]);
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
    || ($active ne "*" && $was_active =~ /^[01]$/ && $unit->{active} != $was_active && !flaps($unit));
  if ($changed) { $change->{result} = "changed"; next }
  push @todo, $change;
  push @{$list{$enabled ? "enable" : "disable"}}, $change->{name} if $unit->{enabled} != $enabled;
}
# Enabling and a new file are taken up by one reload together: it costs a tenth of a second.
systemctl("$_ --no-reload", @{$list{$_} // []}) for qw(disable enable);
# systemctl does not sync the links by which units are enabled.
system("sync", "-f", "/etc/systemd/system") if $list{enable} || $list{disable};
if ($list{enable} || $list{disable} || grep { $units->{$_->{name}}{reload} } @todo) {
  # A drop-in that was taken away leaves no time behind, only this; after the reload it is forgotten.
  my @behind = grep { $units->{$_}{reload} && $units->{$_}{active} } @names;
  system("systemctl", "daemon-reload") == 0 or die "systemctl daemon-reload failed\n";
  $units = states(@names);
  $units->{$_}{older} = 1 for @behind;
}
for my $change (@todo) {
  my $unit = $units->{$change->{name}};
  my ($enabled, $active) = $change->{after} eq "-" ? (0, 0) : split / /, $change->{after};
  next if $active eq "*" && !$unit->{active};
  my $keep = $active eq "*" || $active;
  if (!$keep) { push @{$list{stop}}, $change->{name} if !$unit->{rests} }
  elsif (!$unit->{active}) { push @{$list{start}}, $change->{name} }
  elsif ($unit->{older} && $change->{name} =~ /\.socket$/) {
    # A socket does not start while its service runs, and its service starts as soon as somebody knocks: both go at once.
    my @held = value((of_units("Triggers", $unit))[0]);
    push @{$list{stop}}, $change->{name}, @held;
    push @{$list{start}}, $change->{name};
    @held{@held} = ();
  }
  elsif ($unit->{older}) { push @{$list{restart}}, $change->{name} }
}
for my $name (splice @{$list{restart} // []}) { push @{$list{exists $held{$name} ? "start" : "restart"}}, $name }
systemctl($_, @{$list{$_} // []}) for qw(stop start restart);

my $now = @todo ? states(map { $_->{name} } @todo) : {};
systemctl("reset-failed", grep { $now->{$_}{ActiveState} eq "failed" } map { $_->{name} } grep { $_->{after} eq "-" } @todo);
for my $change (@todo) {
  my $unit = $now->{$change->{name}};
  $change->{result} = fits($unit, $change->{after}) ? "done" : "failed";
  next if $change->{result} eq "done";
  $change->{detail} = "it is $unit->{ActiveState} and " . ($unit->{enabled} ? "enabled" : "not enabled");
  $change->{detail} .= ", older than its files" if $unit->{older};
  $change->{detail} .= ", and a daemon-reload is wanting" if $unit->{reload};
}
print $_->{result}, "\0", $_->{detail} // "", "\0" for @changes;
print "end\0";
`,
};
