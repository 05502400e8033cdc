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

/** The PHP scripts of a platform that a URL may run. */
export interface ScriptRules {
  /** Script that gets every URL that is no file: `/index.php`. */
  readonly frontController: string;
  /** URLs that are never files, whatever they look like: the front controller's before anything else is judged. Default: none. */
  readonly virtual?: readonly PathPattern[];
  /** Scripts that may be executed besides the front controller. Any other `.php` URL is refused. Default: none. */
  readonly entryPoints?: readonly PathPattern[];
  /** Folders in which `index.php` answers for the folder's URL: `/wp-admin/`. Default: none. */
  readonly indexes?: readonly string[];
  /** Own paths whose missing files are made by the front controller (image styles, aggregated CSS). Default: none. */
  readonly generated?: readonly PathPattern[];
}

/**
 * What a platform asks of any web server, as data; each http service renders it in its own syntax.
 * Routing rules, in their order: ACME challenge, the site's own rules (`OwnRules`: addresses, denied, redirects), virtual, denied, PHP
 * entry points, other PHP (refused), own paths, static files of the release, front controller or program. A redirect of the site's own
 * never stands for what is denied here.
 */
export interface WebRules {
  /**
   * What PHP answers. Null: a URL that is no file goes to the site's runtime where that speaks HTTP, and is 404 elsewhere.
   */
  readonly scripts: ScriptRules | null;
  /**
   * File that answers for the URL of its folder: `index.html`. Of a folder of files, its URL without the slash at its end
   * is redirected (301). Default: none, and a folder's URL is no file.
   */
  readonly indexFile?: string;
  readonly ownPaths: readonly OwnPath[];
  /** Answered with 404, also where a file exists. */
  readonly denied: readonly PathPattern[];
  readonly cache: readonly CacheRule[];
}
