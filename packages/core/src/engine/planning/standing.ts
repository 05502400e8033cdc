import type { Standing } from "../../contracts/facts.ts";

/** Arguments: first and last number of sites' unix ids. Prints those in use, by users, groups and sites' folders. */
export const IDS_IN_USE = [
  "sh",
  "-c",
  `{ getent passwd | cut -d: -f3,4 | tr : '\\n'; getent group | cut -d: -f3; find /srv/sites -mindepth 1 -maxdepth 1 -printf '%U\\n%G\\n' 2>/dev/null; } |
    awk -v first="$1" -v last="$2" '$1 >= first && $1 <= last && !seen[$1]++'`,
  "sh",
] as const;

/** The same arguments. Prints `type key` lines: users in the range, sites' folders, releases, entries and units. */
export const STANDING = [
  "sh",
  "-c",
  `getent passwd | awk -F: -v first="$1" -v last="$2" '$3 >= first && $3 <= last && $6 ~ "^/srv/sites/" { print "unix-user " $1 }'
  find /srv/sites -mindepth 1 -maxdepth 1 -type d -printf 'directory %p\\n' 2>/dev/null
  find /srv/platforms -mindepth 1 -maxdepth 1 -type d -printf 'tree %p\\n' 2>/dev/null
  find /etc/hostwright -mindepth 3 -maxdepth 3 -path '*/entries/*' -type f -printf 'file %p\\n' 2>/dev/null
  find /etc/systemd/system -maxdepth 1 -name 'hostwright-*' -type f -printf 'file %p\\n' 2>/dev/null`,
  "sh",
] as const;

const SITE = /(?:^|[/-])(s[bcdfghjkmnpqrstvwxz2-9]{9})(?:[./]|$)/;

export function parseStanding(text: string): readonly Standing[] {
  return text.split("\n").flatMap((line) => {
    const at = line.indexOf(" ");
    if (at < 1) return [];
    const [type, key] = [line.slice(0, at), line.slice(at + 1)];
    return [{ type, key, of: SITE.exec(key)?.[1] ?? key }];
  });
}
