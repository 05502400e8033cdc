import { ACCOUNTS, ADMIN, BASE, COMMANDS, OF_A_SITE, SOCKET, TEMPLATE } from "./places.ts";

// The administrator's password goes from root's file to redis-cli on a pipe: it is in no argument and no environment.
// Redis tells the commands of an account in words of its own, which differ by version: they are compared with those of an
// account that nobody uses and that was given what each site gets. A Redis that is stopped will have what its file holds.
const CLI = `
redis() {
  { sed -n 's/^user ${ADMIN} .*>\\([^ ]*\\) .*/AUTH ${ADMIN} \\1/p' ${BASE}; cat; } | redis-cli -s ${SOCKET} 2>&1 | sed 1d
}
stopped() {
  case $(echo PING | redis) in *'Could not connect'*) ;; *) return 1 ;; esac
}
list() {
  if stopped; then cat ${ACCOUNTS}; else echo 'ACL LIST' | redis; fi | awk -v template=${TEMPLATE} -v word=${OF_A_SITE} -v plain=' ${COMMANDS}' '
    function commands(line) { at = index(line, " -@all"); return at ? substr(line, at) : "" }
    { line[NR] = $0; if ($2 == template) given = commands($0) }
    END { for (i = 1; i <= NR; i++) {
      said = commands(line[i])
      print said != "" && (said == given || said == plain) ? substr(line[i], 1, length(line[i]) - length(said)) " " word : line[i]
    } }'
}
listed() {
  all=$(list)
  case $all in 'user '*) ;; *) printf '%s\\n' "$all" >&2; exit 1 ;; esac
}
`;

/** Prints all accounts, one a line: passwords as their hashes. Without a Redis of ours there are none. */
export const READ: string = `set -u
${CLI}
[ -f ${BASE} ] && [ -f ${ACCOUNTS} ] || exit 0
listed
printf '%s\\n' "$all"
`;

/** Some of the keys that a pattern fits, and where to go on: nobody waits for all of them. */
const FORGET =
  "local r=redis.call('SCAN',ARGV[1],'MATCH',ARGV[2],'COUNT',10000) for _,k in ipairs(r[2]) do redis.call('UNLINK',k) end return r[1]";

/**
 * Argument: the commands of a site. On stdin three lines a change: name, rules before, rules after ("-": none). Prints
 * `changed <name>` for what it left alone, and `stopped` where nobody answers. The file comes first: cut off between the
 * two, what is told is what stood before, and the same change can be made again. Who goes takes along what he kept.
 */
export const APPLY: string = `set -u
${CLI}
forget() {
  cursor=0
  while :; do
    cursor=$(printf 'EVAL "%s" 0 %s %s:*\\n' "${FORGET}" "$cursor" "$1" | redis)
    case $cursor in 0) return ;; ''|*[!0-9]*) printf '%s\\n' "$1: $cursor" >&2; return 1 ;; esac
  done
}
! stopped || { echo stopped; exit 0; }
listed
names=' ' lines= commands= gone=
while IFS= read -r name && IFS= read -r before && IFS= read -r after; do
  now=$(printf '%s\\n' "$all" | sed -n "s/^user $name //p")
  [ "$before" = "\${now:--}" ] || { echo "changed $name"; continue; }
  names="$names$name "
  case $after in
    -) gone="$gone $name" commands="\${commands}ACL DELUSER $name
"; continue ;;
    *" ${OF_A_SITE}") after="\${after% ${OF_A_SITE}} $1" ;;
  esac
  lines="\${lines}user $name $after
" commands="\${commands}ACL SETUSER $name reset $after
"
done
[ "$names" != ' ' ] || exit 0
others=$(awk -v names="$names" '!index(names, " " $2 " ")' ${ACCOUNTS}) || exit 1
printf '%s\\n%s' "$others" "$lines" |
  setpriv --reuid=redis --regid=redis --clear-groups sh -c 'umask 077; cat >${ACCOUNTS}.new && mv ${ACCOUNTS}.new ${ACCOUNTS}' || exit 1
for name in $gone; do forget "$name" || exit 1; done
said=$(printf %s "$commands" | redis | grep -vx '[01]\\|OK')
for name in $gone; do forget "$name" || exit 1; done
[ -z "$said" ] && exit 0
echo 'ACL SAVE' | redis >&2
printf '%s\\n' "$said" >&2
exit 1
`;

/** Makes the file what Redis has: an attempt that was cut off may have written there and nowhere else. */
export const SAVE: string = `set -u
${CLI}
[ -f ${BASE} ] && ! stopped || exit 0
said=$(echo 'ACL SAVE' | redis)
[ "$said" = OK ] || { printf '%s\\n' "$said" >&2; exit 1; }
`;
