import { nginx } from "@hostwright/service-nginx";
import { node } from "@hostwright/service-node";
import { testHosts, type PlainPlatformSubject } from "@hostwright/testing";
import { nodeApp } from "../src/index.ts";

const PROGRAM = `const { SITE_URL, DATA_DIR } = process.env;
const fs = require("node:fs");
fs.writeFileSync(DATA_DIR + "/written", SITE_URL);
const written = fs.readFileSync(DATA_DIR + "/written", "utf8");
require("node:http").createServer((request, response) => response.end(request.url + " of " + written)).listen(3000);
`;

export const subject: PlainPlatformSubject = {
  plugin: nodeApp,
  http: nginx,
  runtime: node,
  harness: testHosts({ packages: ["nodejs"], services: ["nginx"] }),
  source: { "package.json": '{"version":"1.2.3"}', "dist/main.js": PROGRAM, "public/a.txt": "a file" },
  version: /^1\.2\.3$/,
  platformOptions: { main: "dist/main.js" },
  pages: (domain) => ({
    "/": `/ of http://${domain}`,
    "/dist/main.js": `/dist/main.js of http://${domain}`,
    "/a.txt": "a file",
  }),
};
