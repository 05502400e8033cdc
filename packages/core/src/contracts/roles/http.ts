import type { Declared } from "../resource.ts";
import type { ServerView, SiteView } from "../views.ts";

/**
 * One file of a site's web server configuration, published with all others as one generation (decisions.md D18). It is
 * root's, 0640, in folders of 0750.
 */
export interface HttpEntry {
  /** File name within the generation, unique to the site: `<site id>.conf`. */
  readonly name: string;
  readonly content: string;
}

/** What a refusal of the whole configuration is due to. */
export interface Blame {
  /** Absolute path. */
  readonly file: string;
  /** In the web server's own words, on one line. */
  readonly message: string;
}

/** How the web server takes a new generation. All commands are argv and run as root. */
export interface Publication {
  /**
   * Folder of ours, root-owned: holds `entries/`, `generations/N/` and the link `current`. The same in all versions of a
   * plugin: a plan of an older one is published by a newer one (decisions.md D4).
   */
  readonly root: string;
  /**
   * systemd unit of the web server. Its reload keeps the main process and loses no request, and what comes into force by it
   * is read with the groups that `webUser` is in by then.
   */
  readonly unit: string;
  /** Tests the whole configuration; exit code 0 is good, the message names the file otherwise. */
  readonly test: readonly string[];
  /** Finds the file of a failure in the test's output; null if it names none. */
  blame(output: string): Blame | null;
  /** Log whose new lines explain a reload that failed. Default: the journal of the unit alone. */
  readonly errorLog?: string;
  /** A request answered by the generation with its number, to learn that it is in force: loopback URL path. */
  readonly status: { readonly port: number; readonly path: string };
  /** Entry that makes `status` answer the number: its name is always the same, its text differs by the number alone. */
  statusEntry(generation: number): HttpEntry;
}

/** A name that the web server already serves, from a foreign file or from an entry of the generation in force. */
export interface ServedName {
  readonly name: string;
  readonly file: string;
}

/**
 * Serves sites. After a failure: a refused generation leaves the former one in force; no other site is touched. A name that
 * nobody serves is answered with 404, `/.well-known/acme-challenge/x` on every name with the file `x` in `ACME_FOLDER`.
 */
export interface HttpRole {
  readonly webUser: string;
  readonly publication: Publication;
  /** Dumps the whole effective configuration on stdout, for `servedNames`. */
  readonly dump: readonly string[];
  /** Those of others and our own, each with its file; wildcards as `*.example.com`, catch-alls not at all. */
  servedNames(dump: string): readonly ServedName[];
  /** Port on which sites answer, also on the server's loopback. */
  port(server: ServerView): number;
  /** Includes, default sites, log rotation, file limits: what the server needs once. */
  server(view: ServerView): readonly Declared[];
  /** Configuration of one site; a disabled site answers 503. */
  site(view: SiteView, server: ServerView): readonly HttpEntry[];
}
