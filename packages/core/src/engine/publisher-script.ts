/** Stands for the generation's number in the text of the status entry: only the server knows which number comes next. */
export const GENERATION_MARK = 987_654_321;

// Arguments of all: root, status entry's name, status entry's text.
const COMMON = String.raw`
set -uf
LC_ALL=C; export LC_ALL
root=$1 status=$2 text=$3; shift 3
gens=$root/generations
status_of() { printf '%s\n' "$text" | sed "s/${GENERATION_MARK}/$1/g"; }
current() { link=$(readlink "$root/current") && printf '%s' "$link" || printf none; }
# Names of entries that are not in generation $1 as they should be.
differing() {
  if [ -d "$gens/$1" ]; then
    diff -rq -x "$status" -x '.*' "$root/entries" "$gens/$1" 2>&1 |
      sed -e 's/^Only in .*: //' -e 's/^Files .*\/\([^/]*\) differ$/\1/'
    [ "$(status_of "$1")" = "$(cat "$gens/$1/$status" 2>&1)" ] || printf '%s\n' "$status"
  elif [ -d "$root/entries" ]; then ls "$root/entries"
  fi
}
`;

/** Prints `pending` when the entries, or an unfinished switch, wait for a publication. Changes nothing. */
export const PENDING: string = `${COMMON}
[ -d "$root/entries" ] || exit 0
if [ -L "$root/former" ] || [ -n "$(differing "$(basename "$(current)")")" ]; then echo pending; fi
`;

/**
 * Asks for the generation until it is `want` or later (or exactly it), for at most 5 s. One good answer is not enough: nginx
 * lets old workers accept for 100 ms beside the new ones, and a visitor, or a probe of ours, would meet the old site.
 */
export const AWAIT: string = String.raw`
use strict; use warnings; use IO::Socket::INET;
my ($port, $path, $want, $exact) = @ARGV;
my ($until, $good) = (time + 5, 0);
while (time <= $until) {
  my $answer = eval {
    local $SIG{ALRM} = sub { die }; alarm 2;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die;
    print $socket "GET $path HTTP/1.0\r\nHost: localhost\r\n\r\n"; $socket->flush;
    local $/; my $all = <$socket>; alarm 0; $all;
  };
  alarm 0;
  my ($seen) = ($answer // "") =~ m{^HTTP/\S+ \d+ .*?\r?\n\r?\n(\d+)\s*$}s;
  $good = !defined $seen || ($exact ? $seen != $want : $seen < $want) ? 0 : $good + 1;
  exit 0 if $good == 15;
  select undef, undef, undef, 0.01;
}
exit 1;
`;

/**
 * Publishes under one flock, in one round trip. Further arguments: unit, status port, status path, error log or "",
 * force (0 or 1), names to leave as they are in force (between spaces), the program that waits, then the test's argv.
 * Output: word, generation, whether the unit runs and whether it ran before; a line of changed names; then what the commands said.
 *
 * The link `former` stands while a switch is under way and names what to go back to. Whoever finds it was preceded by a
 * publisher that died: it goes back, and publishes all entries anew. Signals wait until the switch is decided.
 */
export const PUBLISH: string =
  COMMON +
  String.raw`
unit=$1 port=$2 path=$3 log=$4 force=$5 held=$6 waiter=$7; shift 7
umask 027
# An undo may have taken all of it away: then there is nothing to publish.
[ -d "$root/entries" ] || { printf 'unchanged 0 unknown\n\n'; exit 0; }
exec 9>>"$root/publish.lock" || exit 1
flock -w 120 9 || { printf 'busy 0 unknown\n'; exit 0; }
trap '' HUP INT TERM
partial=
trap 'rm -rf -- "$partial"' EXIT

runs() { systemctl -q is-active "$unit" && echo yes || echo no; }
point() {
  if [ "$2" = none ]; then rm -f "$root/$1"; return; fi
  ln -sfn "$2" "$root/$1.new" && mv -fT "$root/$1.new" "$root/$1"
}
finish() { sync -f "$root"; printf '%s %s %s %s\n%s\n%s\n' "$1" "$2" "$(runs)" "$ran" "$(echo $changed)" "$3"; exit 0; }
engage() {
  if [ "$(runs)" = yes ]; then timeout 30 systemctl reload "$unit" 2>&1
  else systemctl -q reset-failed "$unit" 2>/dev/null; timeout 30 systemctl start "$unit" 2>&1
  fi
}
answers() { perl -e "$waiter" "$port" "$path" "$1" "$2"; }
drop_newer() {
  find "$gens" -mindepth 1 -maxdepth 1 -name '*.partial' -exec rm -rf {} +
  for n in $(ls "$gens"); do case $n in *[!0-9]*) ;; *) [ "$n" -le "$1" ] || rm -rf "$gens/$n" ;; esac; done
}
back() {
  point current "$before"; drop_newer "$now"
  if [ "$engaged" = 1 ]; then engage >/dev/null && [ "$now" != 0 ] && answers "$now" 1; fi
  rm -f "$root/former"
}

engaged=0 ran=no
mkdir -p "$gens" || exit 1
if [ -L "$root/former" ]; then point current "$(readlink "$root/former")"; engaged=1; force=1; fi
before=$(current); now=$(basename "$before")
[ "$now" != none ] || now=0
drop_newer "$now"

changed=
for name in $(differing "$now"); do case " $held " in *" $name "*) ;; *) changed="$changed $name" ;; esac; done
if [ -z "$changed" ] && [ "$force" = 0 ]; then finish unchanged "$now" ""; fi

used=$(cat "$root/last" 2>/dev/null || echo 0)
[ "$used" -ge "$now" ] || used=$now
next=$((used + 1))
partial=$gens/$next.partial
mkdir "$partial" &&
  find "$root/entries" -mindepth 1 -maxdepth 1 -type f ! -name '.*' -exec cp -p -t "$partial" -- {} + || exit 1
for name in $held; do
  rm -f "$partial/$name"
  [ ! -f "$gens/$now/$name" ] || cp -p "$gens/$now/$name" "$partial/$name" || exit 1
done
status_of "$next" > "$partial/$status" && echo "$next" > "$root/last" || exit 1
sync -f "$root" || exit 1
ln -sfn "$before" "$root/former.new" && mv -fT "$root/former.new" "$root/former" || exit 1
mv "$partial" "$gens/$next" && point current "generations/$next" || { back; exit 1; }

if ! said=$("$@" 2>&1); then
  back
  echo "$used" > "$root/last"
  if untouched=$("$@" 2>&1); then finish refused "$now" "$said"; fi
  finish foreign "$now" "$untouched"
fi

began=$(date +%s)
seen=$(stat -c %s "$log" 2>/dev/null || echo 0)
engaged=1 ran=$(runs)
if said=$(engage) && answers "$next" 0 && [ "$(runs)" = yes ]; then
  rm -f "$root/former"
  for n in $(ls "$gens" | sort -n | head -n -5); do rm -rf "$gens/$n"; done
  finish published "$next" ""
fi
[ -z "$log" ] || said="$said
$(tail -c "+$((seen + 1))" "$log" 2>/dev/null | grep -E '\[([a-z_0-9]*:)?(emerg|alert|crit)\]' | head -c 4000)"
said="$said
$(journalctl -q -o cat -n 15 -u "$unit" --since "@$began" 2>/dev/null)"
back
finish failed "$now" "$said"
`;
