import type { Publication } from "../publication.ts";
import type { Declared } from "../resource.ts";
import type { RuntimeProtocol, ServerView, SiteView } from "../views.ts";

/** One systemd property as `systemd-run -p` and unit files take it: `["PrivateTmp", "yes"]`. */
export type UnitProperty = readonly [name: string, value: string];

/** Runs the code of sites on their web server, each as its own user in its own sandbox (decisions.md D24, D30). */
export interface RuntimeRole {
  /** How it answers on a site's socket: `fastcgi` scripts of the release, `http` whatever is no file. */
  readonly protocol: RuntimeProtocol;
  /** What of its configuration comes into force as generations. Default: nothing does; it has its files and units alone. */
  readonly publication?: Publication;
  server(view: ServerView): readonly Declared[];
  /** Units that run while the site is enabled, and what they need. */
  site(view: SiteView, server: ServerView): readonly Declared[];
  /** Unix socket on which the site's code answers its web server. */
  socket(siteId: string): string;
  /** The sandbox of the site's unit, for any other command of that site (installer, copy of a database). */
  sandbox(view: SiteView, server: ServerView): readonly UnitProperty[];
  /** Command-line interpreter, with the site's limits as arguments. */
  interpreter(view: SiteView, server: ServerView): readonly string[];
}
