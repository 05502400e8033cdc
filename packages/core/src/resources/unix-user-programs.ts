import type { PerlProgram } from "./perl.ts";

const COMMON = String.raw`
use strict; use warnings;
binmode STDIN; binmode STDOUT;
$/ = "\0";
sub field { my $f = <STDIN>; die "the input was cut\n" unless defined $f && chomp $f; return $f }
# The password field is looked at for its first letter and goes nowhere.
sub state_of {
  my ($name) = @_;
  my @user = getpwnam $name or return "-";
  my @group = getgrnam $name;
  my $gid = @group && $group[2] == $user[3] ? $group[2] : "";
  my $members = @group ? join ",", sort split / /, $group[3] : "";
  return join ":", $user[2], $gid, ($user[1] =~ /^[!*]/ ? 1 : 0), @user[7, 8], $members;
}
`;

/** Input: names, ended by NUL. Output: for each `uid:gid:locked:home:shell:members`, or `-`, ended by NUL; then `end`. */
export const READ_USERS: PerlProgram = {
  what: "read users",
  text: String.raw`${COMMON}
while (!eof STDIN) { print state_of(field()), "\0" }
print "end\0";
`,
};

/**
 * Input, ended by NUL each: for every change name, before and after; then `end`. All is judged before anything is
 * touched: one taken number refuses everything. New users come with one systemd-sysusers run.
 */
export const APPLY_USERS: PerlProgram = {
  what: "change users",
  text: String.raw`${COMMON}
my @changes;
while ((my $name = field()) ne "end") { push @changes, { name => $name, before => field(), after => field() } }
sub result { my ($change, $word, $detail) = @_; @$change{qw(result detail)} = ($word, $detail // "") }
sub finish { print $_->{result} // "skipped", "\0", $_->{detail} // "", "\0" for @changes; print "end\0"; exit }
sub crontab { "/var/spool/cron/crontabs/$_[0]" }

sub conflict {
  my ($change) = @_;
  my ($name, $want) = @$change{qw(name want)};
  my $by_uid = getpwuid $want->[0]; my $by_gid = getgrgid $want->[1];
  return ("taken", "uid $want->[0] belongs to $by_uid") if defined $by_uid && $by_uid ne $name;
  return ("taken", "gid $want->[1] belongs to $by_gid") if defined $by_gid && $by_gid ne $name;
  my @user = getpwnam $name; my @group = getgrnam $name;
  return ("taken", "the user has uid $user[2]") if @user && $user[2] != $want->[0];
  return ("taken", "the group has gid $group[2]") if @group && $group[2] != $want->[1];
  return ("taken", "the user's own group is another") if @user && $user[3] != $want->[1];
  return ("taken", "a crontab of that name exists") if !@user && -e crontab($name);
  for (split /,/, $want->[5]) { return ("nomember", $_) if !defined getpwnam $_ }
  return;
}
my %running;
for my $status (</proc/[0-9]*/status>) {
  open my $handle, "<", $status or next;
  local $/; my $text = <$handle> // "";
  $running{$_} = 1 for $text =~ /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/m;
}
for my $change (@changes) {
  my $now = state_of($change->{name});
  $change->{want} = [split /:/, $change->{after}, -1];
  my @old = split /:/, $change->{before}, -1;
  my $left = $change->{after} eq "-" && $now eq "-" && @old > 1 && (getgrnam $change->{name} // -1) eq $old[1];
  if ($now eq $change->{after} && !$left) { result($change, "already"); next }
  if ($now ne $change->{before} && !$left) { result($change, "changed"); next }
  if ($change->{after} eq "-") { result($change, "busy") if $running{$old[0]}; next }
  my @conflict = conflict($change);
  result($change, @conflict) if @conflict;
}
finish() if grep { ($_->{result} // "") =~ /^(taken|nomember)$/ } @changes;

my @todo = grep { !defined $_->{result} } @changes;
my @new = grep { $_->{before} eq "-" } @todo;
if (@new) {
  # From standard input: nothing stays in /etc/sysusers.d, where it would make the user again at every boot.
  open my $sysusers, "|-", "systemd-sysusers", "-" or die "systemd-sysusers: $!\n";
  for (@new) {
    my ($uid, undef, undef, $home, $shell, $members) = @{$_->{want}};
    print $sysusers "g $_->{name} $uid\nu $_->{name} $uid - $home $shell\n";
    for my $member (split /,/, $members) { print $sysusers "m $member $_->{name}\n" }
  }
  close $sysusers or die "systemd-sysusers failed\n";
}
for my $change (@todo) {
  my ($name, $want) = @$change{qw(name want)};
  if ($change->{after} eq "-") {
    system("userdel", "--", $name) if defined getpwnam $name;
    system("groupdel", "--", $name) if defined getgrnam $name;
    unlink crontab($name);
  } elsif (state_of($name) ne $change->{after}) {
    system("usermod", "-d", $want->[3], "-s", $want->[4], $want->[2] ? "-L" : "-U", $name);
    system("gpasswd", "-M", $want->[5], $name);
  }
}
system("sync", "-f", "/etc");
for (@todo) {
  my $now = state_of($_->{name});
  if ($now eq $_->{after}) { result($_, "done") } else { result($_, "failed", "it is now $now") }
}
finish();
`,
};

/**
 * What killed programs left beside the files of accounts: new versions that systemd-sysusers (`.#`) and the shadow tools (`+`)
 * were about to rename. Under the lock that both take, lckpwdf(3): none of them is at work. Then, of the names on standard
 * input, ended by NUL, groups without their user: both tools write users and groups one after the other.
 */
export const CLEAR_USERS: PerlProgram = {
  what: "clear up beside the files of accounts",
  text: String.raw`
use strict; use warnings;
use Fcntl;
sysopen my $lock, "/etc/.pwd.lock", O_WRONLY | O_CREAT | O_NOFOLLOW, 0600 or die "/etc/.pwd.lock: $!\n";
# struct flock of 64-bit Linux: a write lock on the whole file.
my $whole = pack "s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0;
fcntl $lock, F_SETLKW, $whole or die "/etc/.pwd.lock: $!\n";
opendir my $etc, "/etc" or die "/etc: $!\n";
for (readdir $etc) { unlink "/etc/$_" if /^(?:\.#(?:passwd|group|shadow|gshadow)[0-9a-f]{16}|(?:passwd|group|shadow|gshadow)\+)$/ }
close $lock;
binmode STDIN; $/ = "\0";
while (my $name = <STDIN>) {
  chomp $name;
  system("groupdel", "--", $name) if defined getgrnam $name && !defined getpwnam $name;
}
`,
};
