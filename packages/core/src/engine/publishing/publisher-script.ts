import { FREE, WAIT_SECONDS } from "./publisher-wait.ts";

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
# Lines that begin with an entry's name, with a sum of what the entry is now before it.
stamped() {
  { (cd "$root/entries" && find . -mindepth 1 -maxdepth 1 -type f -exec sha256sum {} +); echo; cat; } |
    awk '$0 == "" { body = 1; next } !body { sum[substr($2, 3)] = $1; next } { print ($1 in sum ? sum[$1] : "-") " " $0 }'
}
`;

/**
 * Prints `unfinished` when a switch was, `waits NAME` for every entry that is not in force as its task wrote it, and
 * `quarantined NAME REASON` for those that were quarantined as they still are. Changes nothing.
 */
export const PENDING: string = `${COMMON}
[ -d "$root/entries" ] || exit 0
[ ! -L "$root/former" ] || echo unfinished
differing "$(basename "$(current)")" | sed 's/^/waits /'
[ -f "$root/quarantined" ] || exit 0
cut -d ' ' -f 2- "$root/quarantined" | stamped | grep -Fxf "$root/quarantined" | cut -d ' ' -f 2- | sed 's/^/quarantined /'
`;

/**
 * Publishes under one flock, in one round trip. Further arguments: unit, port and path at which it is asked, or 0 and a
 * command line, error log or "", force (0 or 1), search (0 or 1), the program that waits, the one that searches and its seconds, the unit that gives way or "" and
 * its port, then the test's argv. Input: a
 * line with the names of the entries that come first in a search; a line, name and reason, for each that is left as it is.
 * Output: word, generation, whether the unit runs and whether it ran before; a line of changed names; the number of quarantined
 * entries and a line for each; then what the commands said.
 *
 * The link `former` stands while a switch is under way and names what to go back to. Whoever finds it was preceded by a
 * publisher that died: it goes back, and publishes all entries anew. Signals wait until the switch is decided.
 */
export const PUBLISH: string =
  COMMON +
  String.raw`
free='${FREE}' wait=${WAIT_SECONDS}
unit=$1 port=$2 how=$3 log=$4 force=$5 search=$6 waiter=$7 searcher=$8 seconds=$9; shift 9
instead=$1 freed=$2; shift 2
read -r first; quarantined=$(cat)
umask 027
# An undo may have taken all of it away: then there is nothing to publish.
[ -d "$root/entries" ] || { printf 'unchanged 0 unknown\n\n'; exit 0; }
# Not for the service's own programs: what one of them leaves running would hold it.
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
quarantined_lines() { [ -z "$quarantined" ] || printf '%s\n' "$quarantined"; }
quarantined_names() { quarantined_lines | cut -d ' ' -f 1 | tr '\n' ' '; }
not_quarantined() {
  left=" $(quarantined_names)"
  for name in "$@"; do case $left in *" $name "*) ;; *) printf '%s ' "$name" ;; esac; done
}
note() { if [ -n "$quarantined" ]; then quarantined_lines | stamped > "$root/quarantined"; else rm -f "$root/quarantined"; fi; }
finish() {
  case $1 in published | unchanged) note ;; esac
  sync -f "$root"
  printf '%s %s %s %s\n%s\n%s\n' "$1" "$2" "$(runs)" "$ran" "$(echo $changed)" "$(quarantined_lines | wc -l)"
  quarantined_lines
  printf '%s\n' "$3"
  exit 0
}
engage() {
  if [ "$(runs)" = yes ]; then timeout "$wait" systemctl reload "$unit" 2>&1
  elif [ -n "$instead" ]; then take_over
  else systemctl -q reset-failed "$unit" 2>/dev/null; timeout "$wait" systemctl start "$unit" 2>&1
  fi
}
# Requests under way end at the other one, which listens no longer: nobody waits for it to be gone.
take_over() {
  systemctl -q reset-failed "$unit" 2>/dev/null
  systemctl daemon-reload && systemctl stop --no-block "$instead" && perl -e "$free" "$freed" && timeout "$wait" systemctl start "$unit" 2>&1
}
give_way() {
  timeout "$wait" systemctl stop "$unit"; timeout "$wait" systemctl start "$instead"
}
log_length() { stat -c %s "$log" 2>/dev/null || echo 0; }
# Generation $1, which answers with its number unless it is none; exactly it ($2 is 1), or a later one.
take() {
  length=$(log_length)
  engage && [ "$(runs)" = yes ] || return
  main=$(systemctl show -p MainPID --value "$unit")
  [ "$1" = 0 ] || perl -e "$waiter" "$port" "$how" "$1" "$2" "$log" "$length" "$main" 9>&- && [ "$(runs)" = yes ]
}
drop_newer() {
  find "$gens" -mindepth 1 -maxdepth 1 -name '*.partial' -exec rm -rf {} +
  for n in $(ls "$gens"); do case $n in *[!0-9]*) ;; *) [ "$n" -le "$1" ] || rm -rf "$gens/$n" ;; esac; done
}
back() {
  point current "$before"; drop_newer "$now"
  if [ -n "$instead" ]; then [ "$engaged" = 0 ] || give_way >/dev/null 2>&1
  elif [ "$engaged" = 1 ]; then take "$now" 1 >/dev/null; fi
  rm -f "$root/former"
}
# Nothing was put in force: the number may be used again.
give_up() { back; echo "$used" > "$root/last"; finish "$@"; }
# Changed entries in the order of a search: what others include, those named first, the rest.
ordered() {
  ending=$(printf %s "$status" | sed 's/.*[.]//')
  for name in $changed; do
    case $name in
      "$status") ;;
      *".$ending") case " $first " in *" $name "*) echo "2 $name" ;; *) echo "3 $name" ;; esac ;;
      *) echo "1 $name" ;;
    esac
  done | sort -s -n -k 1,1 | cut -d ' ' -f 2
}

engaged=0 ran=no
mkdir -p "$gens" || exit 1
if [ -L "$root/former" ]; then point current "$(readlink "$root/former")"; engaged=1; force=1; fi
before=$(current); now=$(basename "$before")
[ "$now" != none ] || now=0
drop_newer "$now"

changed=$(not_quarantined $(differing "$now"))
if [ -z "$changed" ] && [ "$force" = 0 ]; then finish unchanged "$now" ""; fi

used=$(cat "$root/last" 2>/dev/null || echo 0)
[ "$used" -ge "$now" ] || used=$now
next=$((used + 1))
partial=$gens/$next.partial
mkdir "$partial" &&
  find "$root/entries" -mindepth 1 -maxdepth 1 -type f ! -name '.*' -exec cp -p -t "$partial" -- {} + || exit 1
former=
for name in $(quarantined_names); do [ ! -f "$gens/$now/$name" ] || former="$former $gens/$now/$name"; done
(cd "$partial" && rm -f -- $(quarantined_names)) || exit 1
[ -z "$former" ] || cp -p -t "$partial" -- $former || exit 1
status_of "$next" > "$partial/$status" && echo "$next" > "$root/last" || exit 1
sync -f "$root" || exit 1
ln -sfn "$before" "$root/former.new" && mv -fT "$root/former.new" "$root/former" || exit 1
mv "$partial" "$gens/$next" && point current "generations/$next" || { back; exit 1; }

if ! said=$("$@" 2>&1 9>&-); then
  point current "$before"
  if ! untouched=$("$@" 2>&1 9>&-); then
    # Where there never was a generation it may refuse that: what it says of the first one tells whose fault it is.
    [ "$before" != none ] || untouched=$said
    [ "$before$search" = none1 ] || give_up foreign "$now" "$untouched"
  fi
  [ "$search" = 1 ] && point current "generations/$next" || give_up refused "$now" "$said"
  found=$(perl -e "$searcher" "$gens/$next" "$gens/$now" "$partial" "$seconds" "$(printf %s "$said" | head -c 8000)" "$(ordered)" "$@" 9>&-) ||
    give_up refused "$now" "$said"
  rm -rf -- "$partial"
  quarantined=$(quarantined_lines; printf '%s\n' "$found")
  changed=$(not_quarantined $changed)
  if [ -z "$changed" ] && [ "$force" = 0 ]; then give_up unchanged "$now" ""; fi
  sync -f "$root" || { back; exit 1; }
fi

began=$(date +%s)
seen=$(log_length)
engaged=1 ran=$(runs)
if said=$(take "$next" 0); then
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
