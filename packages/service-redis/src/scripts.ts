import { ADMIN, BASE, OF_A_SITE, SOCKET, TEMPLATE } from "./places.ts";

// The administrator's password goes from root's file to redis-cli on a pipe: it is in no argument and no environment.
// Redis tells the commands of an account in words of its own, which differ by version: they are compared with those of an
// account that nobody uses and that was given what each site gets.
const CLI = `
redis() {
  { sed -n 's/^user ${ADMIN} .*>\\([^ ]*\\) .*/AUTH ${ADMIN} \\1/p' ${BASE}; cat; } | redis-cli -s ${SOCKET} 2>&1 | sed 1d
}
list() {
  echo 'ACL LIST' | redis | awk -v template=${TEMPLATE} -v word=${OF_A_SITE} '
    function commands(line) { at = index(line, " -@all"); return at ? substr(line, at) : "" }
    { line[NR] = $0; if ($2 == template) given = commands($0) }
    END { for (i = 1; i <= NR; i++) {
      said = commands(line[i])
      print said != "" && said == given ? substr(line[i], 1, length(line[i]) - length(said)) " " word : line[i]
    } }'
}
`;

/** Prints all accounts, one a line: passwords as their hashes. Without a Redis of ours there are none. */
export const READ: string = `set -u
${CLI}
[ -f ${BASE} ] && [ -S ${SOCKET} ] || exit 0
all=$(list)
case $all in "user "*) printf '%s\\n' "$all" ;; *) printf '%s\\n' "$all" >&2; exit 1 ;; esac
`;

/**
 * Argument: the commands of a site. On stdin three lines a change: name, rules before, rules after ("-": none). Prints
 * `changed <name>` for what it left alone.
 */
export const APPLY: string = `set -u
${CLI}
while IFS= read -r name && IFS= read -r before && IFS= read -r after; do
  now=$(list | sed -n "s/^user $name //p")
  [ "$before" = "\${now:--}" ] || { echo "changed $name"; continue; }
  case $after in
    -) command="ACL DELUSER $name" ;;
    *" ${OF_A_SITE}") command="ACL SETUSER $name reset \${after% ${OF_A_SITE}} $1" ;;
    *) command="ACL SETUSER $name reset $after" ;;
  esac
  said=$(printf '%s\\n' "$command" | redis)
  case $said in OK|0|1) ;; *) printf '%s\\n' "$name: $said" >&2; exit 1 ;; esac
done
said=$(echo 'ACL SAVE' | redis)
[ "$said" = OK ] || { printf '%s\\n' "$said" >&2; exit 1; }
`;
