import { testHosts, type HttpSubject } from "@hostwright/testing";
import { nginx } from "../src/index.ts";

/** nginx, with what a person may have put beside it. */
export const subject: HttpSubject = {
  plugin: nginx,
  harness: testHosts(),
  log: "/var/log/nginx/hostwright.log",
  removeStockSite: "rm -f /etc/nginx/sites-enabled/default && systemctl restart nginx",
  foreignSite: (name, other) => ({
    path: "/etc/nginx/conf.d/foreign.conf",
    content: `server { listen 80; server_name ${name} "${other}"; return 200 "foreign"; }\n`,
  }),
  broken: { path: "/etc/nginx/conf.d/broken.conf", content: "no_such_directive on;\n" },
  brokenEntry: "server { listen 80; no_such_directive on; }\n",
};
