import { verify, type SiteRecord } from "@hostwright/core";
import type { TestHost } from "../hosts/hosts.ts";
import { diffListing } from "../hosts/listing.ts";
import { settledListing } from "../support/listing.ts";
import { FIRST, type LivingServer } from "../support/living-server.ts";
import { page } from "../support/page.ts";

/** The site that tasks are tried on; it may be there or not. */
export const SITE = "crash.example.com";
/** The platform that tasks delete. */
export const DELETED = "third";

/** Says whose the server is. */
export const CLAIM = "/var/lib/hostwright/fence/installation";

/** All that a crash may have harmed: the host, the store, what visitors see, what is in the database. */
export interface Snapshot {
  readonly listing: string;
  readonly rows: string;
  readonly seen: string;
}

// Their contents hold ids, or are hashes of such; a verify says whether they are as declared.
const RENDERED =
  / \/(?:srv\/sites\/SITE\/conf|etc\/hostwright|etc\/systemd|etc\/passwd|etc\/group|etc\/shadow|etc\/gshadow|etc\/subuid|etc\/subgid)\b/;

/** Most of a host, and nothing that most tasks could reach. */
const FAR = ["/usr/bin", "/usr/sbin", "/usr/lib", "/usr/share", "/usr/include", "/srv/platforms/wordpress/*"];

export interface Extent {
  /** Else without the distribution's files and a release that no task is about, in a third of the time. */
  readonly whole: boolean;
  readonly hosts: readonly string[];
}

/** With the id of the site and its user replaced: two snapshots of equal states are equal. */
export async function takeSnapshot(living: LivingServer, { whole, hosts }: Extent): Promise<Snapshot> {
  const site = (await living.hw.sites.list()).find(({ domain }) => domain === SITE) ?? null;
  const all = hosts.map((name) => living.hosts.host(name));
  const [seen, ...listings] = await Promise.all([
    look(living, all, site),
    ...all.map(async (host) => settledListing(host, { skip: whole ? [] : FAR })),
  ]);
  const plain = (text: string): string => comparable(text, site);
  const listing = listings.map((text, index) => plain(text).replaceAll(/^(?=.)/gm, `${hosts[index]}:`)).join("\n");
  return { listing, rows: plain(rowsOf(living)), seen: plain(seen) };
}

function comparable(text: string, site: SiteRecord | null): string {
  // A fence stays after a recovery on purpose: it keeps out what the dead worker sent, whenever that arrives.
  const unfenced = text.replaceAll(/^file \/var\/lib\/hostwright\/fence\/.*\n/gm, "");
  if (site === null) return unfenced;
  return unfenced
    .replaceAll(site.id, "SITE")
    .replaceAll(new RegExp(String.raw`\b${site.uid}\b`, "g"), "UID")
    .split("\n")
    .map((line) => (line.includes("SITE") || RENDERED.test(line) ? withoutHashes(line) : line))
    .toSorted()
    .join("\n");
}

/** What differs, in words; empty when nothing does. */
export function diffSnapshots(wanted: Snapshot, found: Snapshot): string {
  const differences = [diffListing(wanted.listing, found.listing), diffListing(wanted.rows, found.rows)];
  if (wanted.seen !== found.seen) differences.push(`seen\n    was ${wanted.seen}\n    is  ${found.seen}`);
  return differences.filter((text) => text !== "").join("\n");
}

/**
 * A record's version counts its writes: a switch there and back raises it by two. The platform that is deleted has another
 * id each time.
 */
function rowsOf(living: LivingServer): string {
  const rows = living.state.rows().replaceAll(/^(record site \S+ \S+) \d+ /gm, "$1 N ");
  const id = new RegExp(`^record platform (\\S+) ${DELETED} `, "m").exec(rows)?.[1];
  return (id === undefined ? rows : rows.replaceAll(id, "DELETED")).split("\n").toSorted().join("\n");
}

function withoutHashes(line: string): string {
  return line
    .replaceAll(/\b[0-9a-f]{64}\b|"authentication_string": *"[^"]*"/g, "HASH")
    .replace(/ hw1\.\w+\.[\w-]{43}$/, " HASH");
}

/** Pages of both sites, what their verify would change, and the rows of the tried site's database. */
async function look(living: LivingServer, hosts: readonly TestHost[], site: SiteRecord | null): Promise<string> {
  const { host, hw } = living;
  const seen: unknown[] = [];
  for (const domain of [FIRST, SITE]) {
    const { status, title } = await page(host, domain, "/");
    seen.push([domain, status, title]);
  }
  // Of a site that stands on one, the other hosts say so.
  for (const other of hosts.slice(1)) {
    const { status, title } = await page(other, SITE, "/");
    seen.push([SITE, status, title]);
  }
  seen.push(["claim", (await host.sh(`cut -d ' ' -f 1 ${CLAIM}`)).trim()]);
  for (const domain of site === null ? [FIRST] : [FIRST, SITE]) {
    // One that another installation has is planned for by that one.
    const found = await hw.plan(verify(domain)).then(
      ({ actions }) => actions.map(({ title }) => title),
      ({ code }: { readonly code?: string }) => [code],
    );
    seen.push([`verify ${domain}`, found]);
  }
  if (site !== null) seen.push(await Promise.all(hosts.map(databaseRows)));
  return JSON.stringify(seen);
}

// Different ones: of two first requests at once, one of them a dead worker's, each has WordPress make the menu.
const CONTENT = `
for schema in $(mariadb -N -B -e "select distinct table_schema from information_schema.tables where table_name = 'wp_posts'"); do
  mariadb -N -B -e "select distinct post_type, post_status, post_title, md5(post_content) from wp_posts order by 1, 2, 3, 4;
    select user_login, user_email from wp_users order by 1; select name, slug from wp_terms order by 1;
    select option_name, option_value from wp_options
      where option_name in ('siteurl', 'home', 'blogname', 'template', 'db_version', 'admin_email')" "$schema"
  echo
done`;

/** Of every WordPress on the host. */
async function databaseRows(host: TestHost): Promise<readonly string[]> {
  return (await host.sh(CONTENT)).trim().split("\n\n").toSorted();
}
