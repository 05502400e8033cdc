import { testHosts, type HttpSubject } from "@hostwright/testing";
import { apache } from "../src/index.ts";

/** Apache, with what a person may have put beside it. */
export const subject: HttpSubject = {
  plugin: apache,
  harness: testHosts(),
  log: "/var/log/apache2/other_vhosts_access.log",
  removeStockSite: "rm -f /etc/apache2/sites-enabled/000-default.conf && systemctl restart apache2",
  foreignSite: (name, other) => ({
    path: "/etc/apache2/sites-enabled/foreign.conf",
    content: `<VirtualHost *:80>\nServerName ${name}\nServerAlias ${other}\n</VirtualHost>\n`,
  }),
  broken: { path: "/etc/apache2/sites-enabled/broken.conf", content: "NoSuchDirective on\n" },
  brokenEntry: "NoSuchDirective on\n",
  lacking: { unknownLength: "Apache bounds no body that it passes on, but by its Content-Length" },
};
