import { nginx } from "@hostwright/service-nginx";
import { testHosts, type PlainPlatformSubject } from "@hostwright/testing";
import { staticSite } from "../src/index.ts";

export const subject: PlainPlatformSubject = {
  plugin: staticSite,
  http: nginx,
  harness: testHosts({ services: ["nginx"] }),
  source: { "index.html": "front", "docs/index.html": "docs", "docs/a.txt": "a text" },
  version: /^files$/,
  pages: () => ({ "/": "front", "/index.html": "front", "/docs/": "docs", "/docs/a.txt?x=1": "a text" }),
  lacking: { signature: "any folder with an index.html is a site" },
};
