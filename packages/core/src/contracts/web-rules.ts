import type { PathPattern } from "../model/path-pattern.ts";

export type { PathPattern };

/** A part of the URL space that is served from the site's own `public/` folder, at the same path below it. */
export interface OwnPath {
  /** `/wp-content/`: begins and ends with a slash. */
  readonly prefix: string;
}

export interface CacheRule {
  readonly match: PathPattern;
  readonly maxAgeSeconds: number;
}

/**
 * What a platform asks of any web server, as data; each http service renders it in its own syntax.
 * Routing rules, in their order: ACME challenge, the site's own rules (`OwnRules`: addresses, denied, redirects), virtual, denied, PHP
 * entry points, other PHP (refused), own paths, static files of the release, front controller. A redirect of the site's own
 * never stands for what is denied here.
 */
export interface WebRules {
  /** URLs that are never files, whatever they look like: the front controller's before anything else is judged. */
  readonly virtual: readonly PathPattern[];
  /** Script that gets every URL that is no file: `/index.php`. */
  readonly frontController: string;
  /** Scripts that may be executed besides the front controller. Any other `.php` URL is refused. */
  readonly phpEntryPoints: readonly PathPattern[];
  /** Folders in which `index.php` answers for the folder's URL: `/wp-admin/`. */
  readonly phpIndexes: readonly string[];
  readonly ownPaths: readonly OwnPath[];
  /** Answered with 404, also where a file exists. */
  readonly denied: readonly PathPattern[];
  readonly cache: readonly CacheRule[];
  /** Own paths whose missing files are made by the front controller (image styles, aggregated CSS). */
  readonly generated: readonly PathPattern[];
}
