import type { Entry, Publication } from "../publication.ts";
import type { Declared } from "../resource.ts";
import type { ServerView, SiteView } from "../views.ts";

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
  /** What comes into force by a publication is read with the groups that this user is in by then. */
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
  site(view: SiteView, server: ServerView): readonly Entry[];
}
