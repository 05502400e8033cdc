import type { PerlProgram } from "./perl.ts";

/**
 * The two programs that run on a server for files, directories and links. They are perl, which is part of every Debian
 * (perl-base is Essential): one process opens folders step by step and without following links, and works relative to
 * the folder it holds, which sh cannot. sha256 comes from coreutils: perl-base has none.
 */
export const PATH_FUNCTIONS: string = String.raw`
use strict; use warnings;
use Fcntl qw(:DEFAULT :mode :flock);
use Errno qw(ENOENT ENOTDIR ELOOP EACCES);
binmode STDIN; binmode STDOUT; umask 077;
$/ = "\0";
$^F = 4096; # handles are handed on to sha256sum

sub field { my $f = <STDIN>; die "the input was cut\n" unless defined $f && chomp $f; return $f }
sub bytes {
  my ($length) = @_; my $data = "";
  while (length $data < $length) { read(STDIN, $data, $length - length $data, length $data) or die "the input was cut\n" }
  return $data;
}
sub split_path { $_[0] =~ m{^(.*)/([^/]+)$}s or die "not a path\n"; return ($1 eq "" ? "/" : $1, $2) }

# Makes a folder the current one, name by name and through no link. Gives "ok", "absent" or "link", and the first
# folder on the way that others than root could change. The folders on the way stay open for the next one, which is
# mostly a neighbour.
my ($here, @way) = ("");
sub enter {
  my ($folder) = @_;
  return ("ok", $way[-1]{unsafe}) if $folder eq $here;
  $here = "";
  my @names = ("/", grep { length } split m{/}, $folder);
  my $known = 0;
  $known++ while $known < @names && $known < @way && $way[$known]{name} eq $names[$known];
  $#way = $known - 1;
  chdir $way[-1]{handle} or die "$way[-1]{path}: $!\n" if @way;
  for my $index ($known .. $#names) {
    my $name = $names[$index];
    my $path = $index ? "$way[-1]{path}/$name" : "";
    if (!sysopen my $handle, $name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) {
      return ("absent", $path) if $! == ENOENT;
      return ("link", $path) if $! == ENOTDIR || $! == ELOOP;
      die "$path: $!\n";
    } else {
      chdir $handle or die "$path: $!\n";
      my ($mode, $owner) = (stat $handle)[2, 4];
      my $open = ($owner != 0 && $owner != $>) || $mode & 022;
      # A sticky folder is safe to pass through, not to work in.
      my $sticky = $mode & S_ISVTX && !($owner != 0 && $owner != $>);
      my $unsafe = $index && $way[-1]{through} ? $way[-1]{through} : "";
      my $shown = $path || "/";
      push @way, { name => $name, path => $path, handle => $handle,
        unsafe => $unsafe || ($open ? $shown : ""), through => $unsafe || ($open && !$sticky ? $shown : "") };
    }
  }
  $here = $folder;
  return ("ok", $way[-1]{unsafe});
}

# Tasks of different sites meet here. The fence made the folder; without a fence there is nobody to meet.
sub lock_resources {
  my $file = "/var/lib/hostwright/resources.lock";
  if (sysopen our $lock, $file, O_CREAT | O_RDWR | O_NOFOLLOW) { flock $lock, LOCK_EX or die "flock: $!\n" }
  elsif ($! != ENOENT && $! != EACCES) { die "$file: $!\n" }
}

my (%users, %groups);
sub user { return $users{$_[0]} //= getpwuid($_[0]) // $_[0] }
sub group { return $groups{$_[0]} //= getgrgid($_[0]) // $_[0] }
sub attributes { my (undef, undef, $mode, undef, $uid, $gid) = @_; return sprintf "%04o %s %s", $mode & 07777, user($uid), group($gid) }

# Present states in the order of the paths: { state, size, sign, unsafe, data }; $keep gets each file while it is open.
sub look {
  my ($paths, $keep) = @_;
  my (@found, @open, @summed, $sums);
  my ($at, $status, $detail) = ("", "", "");
  my $collect = sub {
    local $/ = "\n";
    for my $file (splice @summed) {
      my ($sum) = (<$sums> // "") =~ /^([0-9a-f]{64}) / or die "sha256sum gave no result\n";
      $file->{state} .= " $sum";
    }
    if ($sums) { close $sums or die "sha256sum failed\n" }
    undef $sums;
  };
  # While it reads these, the next ones are looked for.
  my $hash = sub {
    $collect->();
    return unless @open;
    open($sums, "-|", "sha256sum", map { "/proc/self/fd/" . fileno $_->{handle} } @open) or die "sha256sum: $!\n";
    delete $_->{handle} for @open;
    @summed = splice @open;
  };
  for my $path (@$paths) {
    my ($folder, $name) = split_path($path);
    if ($folder ne $at) { ($status, $detail) = enter($folder); $at = $folder }
    my $one = { state => "-", size => 0, sign => "", status => $status, unsafe => $detail };
    push @found, $one;
    next if $status eq "absent";
    if ($status eq "link") { $one->{state} = "o another kind of thing at $detail, on the way"; next }
    my @s = lstat $name;
    if (!@s) { die "$path: $!\n" if $! != ENOENT; next }
    if (S_ISREG($s[2])) {
      if (!sysopen my $handle, $name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) {
        die "$path: $!\n";
      } else {
        @s = stat $handle;
        @$one{qw(handle state size)} = ($handle, "f " . attributes(@s), $s[7]);
        $keep->($one, $handle) if $keep;
        push @open, $one;
        $hash->() if @open >= 200;
      }
    }
    elsif (S_ISDIR($s[2])) { $one->{state} = "d " . attributes(@s) }
    elsif (S_ISLNK($s[2])) { $one->{state} = "l " . readlink $name }
    else { $one->{state} = "o a device, socket or pipe" }
    # Link counts and access times move without a change of the thing itself; a folder's times move with its entries.
    $one->{sign} = join " ", S_ISDIR($s[2]) ? @s[0, 1, 2, 4, 5] : @s[0, 1, 2, 4, 5, 7, 9, 10];
  }
  $hash->(); $collect->();
  return @found;
}
`;

/** Input: limit of contents in bytes ("" for none), then paths, all ended by NUL. Output: see `parsePresent`. */
export const READ_PATHS: PerlProgram = {
  what: "read paths",
  text: String.raw`${PATH_FUNCTIONS}
my $limit = field();
my @paths; while (!eof STDIN) { push @paths, field() }
my $keep = sub {
  my ($one, $handle) = @_;
  return if $one->{size} > $limit;
  local $/; $one->{data} = <$handle> // ""; $one->{size} = length $one->{data};
};
for my $one (look(\@paths, $limit eq "" ? undef : $keep)) {
  print $one->{state}, "\0", $one->{size}, "\0";
  print defined $one->{data} ? length $one->{data} : "-", "\0", $one->{data} // "";
}
print "end\0";
`,
};

/** Beside its target until it is renamed; names end at 255 bytes, see schemas.ts. */
const NEW_NAME = String.raw`sub new_name { return ".$_[0].hostwright-new" }`;

/** What a killed APPLY_PATHS left beside these paths goes. Input: paths, ended by NUL. */
export const CLEAR_PATHS: PerlProgram = {
  what: "clear up beside paths",
  text: String.raw`${PATH_FUNCTIONS}${NEW_NAME}
my @paths; while (!eof STDIN) { push @paths, field() }
lock_resources();
my %cleared;
for my $path (@paths) {
  my ($folder, $name) = split_path($path);
  my ($status, $unsafe) = enter($folder);
  next if $status ne "ok" || $unsafe ne "";
  my $new = new_name($name);
  $cleared{(stat ".")[0]} = $folder if unlink($new) || rmdir $new;
}
system("sync", "-f", "--", values %cleared) == 0 or die "sync failed\n" if %cleared;
`,
};

/**
 * Input, ended by NUL each: for every change path, before, after and, when a file comes, its length and bytes; then
 * `end`. Nothing is touched before `end` was read. New files are made beside their targets, flushed and read back, then
 * renamed. Output: for every change a word and a detail, then `end`.
 */
export const APPLY_PATHS: PerlProgram = {
  what: "change paths",
  text: String.raw`${PATH_FUNCTIONS}${NEW_NAME}
my @changes;
while ((my $path = field()) ne "end") {
  my $change = { path => $path, before => field(), after => field() };
  $change->{data} = bytes(field()) if $change->{after} =~ /^f /;
  @$change{qw(folder name)} = split_path($path);
  $change->{new} = new_name($change->{name});
  push @changes, $change;
}
lock_resources();

sub result { my ($change, $word, $detail) = @_; @$change{qw(result detail)} = ($word, $detail // ""); return 0 }
# Each is looked up once: with many users that is a long search.
my (%uids, %gids);
sub uid_of { return $uids{$_[0]} //= getpwnam($_[0]) // ($_[0] =~ /^\d+$/ ? $_[0] : undef) }
sub gid_of { return $gids{$_[0]} //= getgrnam($_[0]) // ($_[0] =~ /^\d+$/ ? $_[0] : undef) }
# Enters the folder of a change; false, with the reason noted, where root must keep out.
sub ready {
  my ($change) = @_;
  my ($status, $detail) = enter($change->{folder});
  return result($change, "noparent", $detail) if $status eq "absent";
  return result($change, "unsafe", $detail) if $status eq "link" || $detail ne "";
  return 1;
}
my %flush;
sub note { $flush{(stat ".")[0]} = $_[0]{folder} }
sub flush { return unless %flush; system("sync", "-f", "--", values %flush) == 0 or die "sync failed\n" }

my @present = look([map { $_->{path} } @changes]);
my (@todo, @made);
for my $index (0 .. $#changes) {
  my ($change, $now) = ($changes[$index], $present[$index]);
  $change->{sign} = $now->{sign};
  if ($now->{state} eq $change->{after}) { result($change, "already") }
  elsif ($now->{status} eq "link") { result($change, "unsafe", $now->{unsafe}) }
  elsif ($now->{state} ne $change->{before}) { result($change, "changed") }
  else {
    my ($kind, $mode, $owner, $group) = split / /, $change->{after};
    if ($kind =~ /^[fd]$/) {
      $change->{mode} = oct $mode;
      $change->{uid} = uid_of($owner);
      $change->{gid} = gid_of($group);
      if (!defined $change->{uid} || !defined $change->{gid}) {
        result($change, "noowner", defined $change->{uid} ? $group : $owner); next;
      }
    }
    push @todo, $change;
  }
}

my $made = eval {
  for my $change (grep { defined $_->{data} } @todo) {
    ready($change) or next;
    note($change);
    unlink $change->{new};
    sysopen my $handle, $change->{new}, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600 or die "$change->{path}: $!\n";
    push @made, $change;
    binmode $handle;
    (print $handle $change->{data}) && $handle->flush or die "$change->{path}: $!\n";
    chown $change->{uid}, $change->{gid}, $handle or die "$change->{path}: $!\n";
    chmod $change->{mode}, $handle or die "$change->{path}: $!\n";
    close $handle or die "$change->{path}: $!\n";
  }
  flush() if @made;
  my @written = look([map { "$_->{folder}/$_->{new}" } @made]);
  for (0 .. $#made) { die "$made[$_]{path}: what was written reads back differently\n" if $written[$_]{state} ne $made[$_]{after} }
  1;
};
if (!$made) {
  my $reason = $@;
  for (@made) { unlink $_->{new} if (enter($_->{folder}))[0] eq "ok" }
  die $reason;
}

sub unchanged {
  my ($change) = @_;
  my @s = lstat $change->{name};
  my $sign = @s ? join " ", S_ISDIR($s[2]) ? @s[0, 1, 2, 4, 5] : @s[0, 1, 2, 4, 5, 7, 9, 10] : "";
  return $sign eq $change->{sign};
}
sub own {
  my ($change, $name) = @_;
  sysopen my $handle, $name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW or return 0;
  return chown($change->{uid}, $change->{gid}, $handle) && chmod $change->{mode}, $handle;
}
sub put {
  my ($change) = @_;
  my ($name, $new, $after) = @$change{qw(name new after)};
  return rename $new, $name if defined $change->{data};
  if ($after eq "-") { return $change->{before} =~ /^d / ? rmdir $name : unlink $name }
  if ($after =~ /^l (.*)$/s) { my $target = $1; unlink $new; return symlink($target, $new) && rename $new, $name }
  return own($change, $name) if $change->{before} ne "-";
  rmdir $new;
  return mkdir($new, 0700) && own($change, $new) && rename $new, $name;
}
for my $change (@todo) {
  next if $change->{result} || !ready($change);
  note($change);
  if (!unchanged($change)) { result($change, "changed") }
  elsif (put($change)) { result($change, "done") }
  else { result($change, $!{ENOTEMPTY} || $!{EEXIST} ? "notempty" : $!{ENOSPC} || $!{EDQUOT} ? "full" : "failed", "$!") }
  if ($change->{result} ne "done") { unlink $change->{new}; rmdir $change->{new} }
}
flush();
print "$_->{result}\0$_->{detail}\0" for @changes;
print "end\0";
`,
};
