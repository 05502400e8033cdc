import type { TestHost } from "../hosts/hosts.ts";
import { normalisedListing, type ListingOptions } from "../hosts/listing.ts";

/**
 * What a host holds, with the web server's generations told apart by what they serve: only the one in force counts, and
 * its number does not. Units of sites' code come and go with requests: whether one runs does not count either.
 */
export async function settledListing(host: TestHost, options: ListingOptions = {}): Promise<string> {
  const listing = await normalisedListing(host, options);
  const links = listing.split("\n").filter((line) => / \/etc\/hostwright\/\w+\/current /.test(line));
  const current = links.map((line) => line.replace(/^.* (\S+)\/current .*generations\/(\d+)$/, "$1/generations/$2"));
  return (
    listing
      .split("\n")
      .filter((line) => !/ \/etc\/hostwright\/(?:nginx|apache)\/(?:last|generations) /.test(line))
      .filter((line) => !/ \/\S+\/generations\/\d+/.test(line) || current.some((path) => line.includes(path)))
      .filter((line) => !line.includes("/000-status.conf "))
      // What an application compiles and caches for visitors, below folders that count themselves.
      .filter((line) => !/ \/srv\/sites\/\w+\/(?:private|tmp|public\/\S+\/files\/(?:css|js|php|styles))\//.test(line))
      // Made with the first exclusive task of a server or platform, and kept as long as that.
      .filter((line) => !/ \/var\/lib\/hostwright\/fence\/(?:server|platform|highest)-/.test(line))
      .map((line) => line.replaceAll(/generations\/\d+/g, "generations/N"))
      // Whether somebody asked for a page since the last start.
      .map((line) => line.replace(/^(unit hostwright-(?:php|node)-\w+\.(?:timer|socket) loaded active) \w+$/, "$1"))
      // It runs while what it starts does.
      .map((line) => line.replace(/^(unit hostwright-php-reap\.timer loaded active) running$/, "$1 waiting"))
      .filter(
        (line) =>
          !/^unit hostwright-(?:php|node)-\w+\.service |^unit hostwright-site-\S+\.slice |^unit hostwright-php-reap\.service /.test(
            line,
          ),
      )
      .toSorted()
      .join("\n")
  );
}

/** Times of every file and folder of ours: equal exactly when nothing of it was written. */
export async function writeTimes(host: TestHost): Promise<string> {
  return host.sh(
    "find /etc /srv /var/lib/hostwright /usr/local -printf '%T@ %C@ %p\\n' 2>/dev/null | LC_ALL=C sort -k3",
  );
}
