import type { DatabaseBinding, SiteView } from "@hostwright/core/plugin";
import { siteView } from "@hostwright/testing";

/** The site of `sampleDatabase`; any part can be another. */
export function sampleSite(change: Partial<SiteView> = {}): SiteView {
  return siteView("s1aaaaaaaa", change);
}

export const sampleDatabase: DatabaseBinding = {
  protocol: "mysql",
  host: "localhost",
  port: null,
  socket: "/run/mysqld/mysqld.sock",
  name: "s1aaaaaaaa",
  user: "s1aaaaaaaa",
  password: { ref: "secret", id: "site/s1aaaaaaaa/db-password", label: "db password" },
};
