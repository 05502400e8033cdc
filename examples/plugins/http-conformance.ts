import { httpConformance, testHosts } from "@hostwright/testing";
import { exampleHttp } from "./http.ts";

httpConformance({
  plugin: exampleHttp,
  harness: testHosts({ packages: ["nginx-light"] }),
  log: "/var/log/nginx/example-http.log",
  removeStockSite: "rm -f /etc/nginx/sites-enabled/default && systemctl restart nginx",
  foreignSite: (name, other) => ({
    path: "/etc/nginx/conf.d/foreign.conf",
    content: `server { listen 80; server_name ${name} "${other}"; return 200 "foreign"; }\n`,
  }),
  broken: { path: "/etc/nginx/conf.d/broken.conf", content: "no_such_directive on;\n" },
  brokenEntry: "server { listen 80; no_such_directive on; }\n",
});
