/** The folder is bound into the sandboxes of sites: nothing else may be in it. */
export const SOCKET = "/run/redis/redis-server.sock";
export const FOLDER = "/etc/hostwright/redis";
/** Accounts that no site has: the administrator's, Debian's stock one, switched off, and what each site's is compared with. */
export const BASE: string = `${FOLDER}/base.acl`;
/** All accounts, kept by Redis in its own folder. */
export const ACCOUNTS = "/var/lib/redis/hostwright.acl";
export const ADMIN = "hostwright";
export const TEMPLATE = "hostwright-site";
/** Stands for `COMMANDS` in rules. */
export const OF_A_SITE = "@site";

/**
 * What reads, writes and expires keys. Not what names the keys of others (SCAN, RANDOMKEY, KEYS), counts or empties all
 * (DBSIZE, FLUSHALL), holds everybody up (scripts, blocking) or administers.
 */
export const COMMANDS =
  "-@all +@read +@write +@connection +@transaction -@blocking -@dangerous -@admin -scan -randomkey -dbsize";
