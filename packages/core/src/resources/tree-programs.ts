import { PATH_FUNCTIONS } from "./path-programs.ts";
import type { PerlProgram } from "./perl.ts";

const COMMON = String.raw`${PATH_FUNCTIONS}
my $marker = ".hostwright-release";
# "-", the digest in the marker of a release that is root's own, or "o" for anything else. Wants its folder entered.
sub release {
  my ($name) = @_;
  my @s = lstat $name or return "-";
  return "o" if !S_ISDIR($s[2]) || $s[4] != $>;
  sysopen my $handle, "$name/$marker", O_RDONLY | O_NOFOLLOW or return "o";
  local $/; my $text = <$handle> // "";
  return $text =~ /^\{"digest":"([0-9a-f]{64})","files":\d+\}$/m ? $1 : "o";
}
`;

/** Input: paths, ended by NUL. Output: for each the digest, `-` (nothing there) or `o` (something else), then `end`. */
export const READ_TREES: PerlProgram = {
  what: "read releases",
  text: String.raw`${COMMON}
while (!eof STDIN) {
  my ($folder, $name) = split_path(field());
  my ($status) = enter($folder);
  print $status eq "absent" ? "-" : $status eq "link" ? "o" : release($name), "\0";
}
print "end\0";
`,
};

const LEFT = String.raw`
# What a killed attempt at a release left beside its place, in the folder that was entered.
sub left_of {
  my ($name) = @_;
  my $left = qr/^\.\Q$name\E\.(?:partial|removed)-[0-9a-f]{12}$/;
  opendir my $list, "." or die "$name: $!\n";
  local $/; return grep { $_ =~ $left } readdir $list;
}
sub remove { system("rm", "-rf", "--", map { "./$_" } @_) == 0 or die "rm failed\n" if @_ }
`;

/** What a killed APPLY_TREE left beside these paths goes. Input: paths, ended by NUL. */
export const CLEAR_TREES: PerlProgram = {
  what: "clear up beside releases",
  text: String.raw`${COMMON}${LEFT}
while (!eof STDIN) {
  my ($folder, $name) = split_path(field());
  my ($status, $unsafe) = enter($folder);
  next if $status ne "ok" || $unsafe ne "";
  remove(left_of($name));
}
`,
};

/**
 * Arguments: path, before, after, folder within the release that the source becomes, then kind and path of each mount
 * point. Input: a tar of the source. The release is built beside its place, judged by its digest and renamed; or, when
 * after is `-`, renamed aside and deleted. Output: word, detail, `end`.
 */
export const APPLY_TREE: PerlProgram = {
  what: "publish release",
  text: String.raw`${COMMON}${LEFT}
use IPC::Open2;
my ($path, $before, $after, $at, @points) = @ARGV;
my ($folder, $name) = split_path($path);
my $kept;
sub say_and_end { my ($word, $detail) = @_; print "$word\0", $detail // "", "\0end\0"; exit }
my $home;
sub at_folder {
  my ($status, $detail) = enter($folder);
  if ($status eq "absent") {
    my ($above, $last) = split_path($detail);
    my @up = enter($above);
    say_and_end("unsafe", $up[1] || $above) if $up[0] ne "ok" || $up[1] ne "";
    mkdir $last, 0700 or die "$detail: $!\n"; chmod 0755, $last or die "$detail: $!\n";
    return at_folder();
  }
  say_and_end("unsafe", $detail) if $status eq "link" || $detail ne "";
  sysopen $home, ".", O_RDONLY | O_DIRECTORY or die "$folder: $!\n";
}
at_folder();
my $now = release($name);
remove(left_of($name));
say_and_end("already") if $now eq $after;
say_and_end("changed") if $now ne $before || ($before ne "-" && $after ne "-");

open my $random, "<:raw", "/dev/urandom" or die "/dev/urandom: $!\n";
read($random, my $bytes, 6) == 6 or die "/dev/urandom: $!\n";
my $suffix = unpack "H*", $bytes;
if ($after eq "-") {
  my $gone = ".$name.removed-$suffix";
  rename $name, $gone or die "$path: $!\n";
  system("sync", "-f", "--", $folder) == 0 or die "sync failed\n";
  remove($gone);
  say_and_end("done");
}

my $partial = ".$name.partial-$suffix";
$SIG{$_} = sub { die "stopped\n" } for qw(TERM HUP INT PIPE);
my $files = 0;

# Lists the tree as digestTree does, and gives every file the mode that its kind has in a release.
sub manifest {
  my @pending = (""); my @lines; my @names;
  while (defined(my $dir = pop @pending)) {
    opendir my $handle, $dir eq "" ? "." : $dir or die "$dir: $!\n";
    for my $entry (readdir $handle) {
      next if $entry eq "." || $entry eq "..";
      my $file = $dir eq "" ? $entry : "$dir/$entry";
      my @s = lstat $file or die "$file: $!\n";
      if (S_ISDIR($s[2])) { chmod 0755, $file or die "$file: $!\n"; push @pending, $file; push @lines, [$file, "d -"] }
      elsif (S_ISLNK($s[2])) { push @lines, [$file, "l", readlink $file] }
      elsif (S_ISREG($s[2])) {
        my $run = $s[2] & 0111;
        chmod $run ? 0755 : 0644, $file or die "$file: $!\n";
        push @lines, [$file, $run ? "x" : "f"]; push @names, $lines[-1];
      }
      else { die "$file is no file, folder or link\n" }
    }
  }
  $files = @names;
  while (my @batch = splice @names, 0, 1000) {
    open(my $sums, "-|", "sha256sum", "--", map { $_->[0] } @batch) or die "sha256sum: $!\n";
    local $/ = "\n";
    for my $one (@batch) { (<$sums> // "") =~ /^\\?([0-9a-f]{64}) / or die "sha256sum gave no result\n"; $one->[1] .= " $1" }
    close $sums or die "sha256sum failed\n";
  }
  for my $link (grep { @$_ == 3 } @lines) { $link->[1] .= " " . hash_of($link->[2]) }
  return hash_of(map { "$_->[1] $_->[0]\n" } sort { $a->[0] cmp $b->[0] } @lines);
}
sub hash_of {
  my $pid = open2(my $out, my $in, "sha256sum"); local $/ = "\n";
  print $in @_; close $in;
  my ($sum) = (<$out> // "") =~ /^([0-9a-f]{64}) / or die "sha256sum gave no result\n";
  waitpid $pid, 0;
  return $sum;
}
sub make_folders { my ($to) = @_; my $way = ""; for (split m{/}, $to) { $way .= $way eq "" ? $_ : "/$_"; -d $way || mkdir $way, 0755 or die "$way: $!\n"; } }
sub mount_point {
  my ($kind, $point) = @_;
  my ($above) = $point =~ m{^(.*)/[^/]+$};
  make_folders($above) if defined $above;
  if ($kind eq "directory") { return make_folders($point) }
  die "the mount point $point is no file\n" if -e $point && !-f _;
  return if -e _;
  sysopen my $handle, $point, O_WRONLY | O_CREAT | O_EXCL, 0644 or die "$point: $!\n";
}

my $built = eval {
  mkdir $partial, 0700 or die "$folder/$partial: $!\n";
  chdir $partial or die "$partial: $!\n";
  umask 022;
  make_folders($at) if $at ne ".";
  chdir $at or die "$at: $!\n";
  system("tar", "--extract", "--file=-", "--no-same-owner", "--no-same-permissions") == 0 or die "tar failed\n";
  my $digest = manifest();
  if ($digest ne $after) { $kept = "digest"; die "digest\n" }
  chdir $home or die; chdir $partial or die "$partial: $!\n";
  mount_point(splice @points, 0, 2) while @points;
  sysopen my $handle, $marker, O_WRONLY | O_CREAT | O_EXCL, 0644 or die "$marker: $!\n";
  print $handle qq({"digest":"$digest","files":$files}\n) or die "$marker: $!\n";
  close $handle or die "$marker: $!\n";
  chmod 0755, "." or die "$partial: $!\n";
  system("sync", "-f", ".") == 0 or die "sync failed\n";
  chdir $home or die "$folder: $!\n";
  lstat $name and die "$path: something came there\n";
  rename $partial, $name or die "$path: $!\n";
  1;
};
if (!$built) {
  my $reason = $@;
  $SIG{$_} = "IGNORE" for qw(TERM HUP INT PIPE);
  chdir $home or die "$folder: $!\n";
  remove($partial) if -e $partial;
  say_and_end("digest") if defined $kept;
  die $reason;
}
system("sync", "-f", ".") == 0 or die "sync failed\n";
say_and_end("done");
`,
};
