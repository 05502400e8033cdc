import type { Declared } from "../resource.ts";
import type { ServerView, SiteView } from "../views.ts";

/** One systemd property as `systemd-run -p` and unit files take it: `["PrivateTmp", "yes"]`. */
export type UnitProperty = readonly [name: string, value: string];

/** Runs the PHP of sites, each as its own user in its own sandbox (decisions.md D24, D30). */
export interface PhpRole {
  server(view: ServerView): readonly Declared[];
  site(view: SiteView, server: ServerView): readonly Declared[];
  /** Socket on which the site's PHP answers FastCGI. */
  socket(siteId: string): string;
  /** The sandbox of the site's PHP unit, for any other command of that site (installer, cron). */
  sandbox(view: SiteView, server: ServerView): readonly UnitProperty[];
  /** Command-line interpreter, with the site's limits as `-d` arguments. */
  interpreter(view: SiteView, server: ServerView): readonly string[];
}
