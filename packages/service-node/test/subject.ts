import { nodeLanguage, testHosts, type RuntimeSubject } from "@hostwright/testing";
import { node } from "../src/index.ts";

export const subject: RuntimeSubject = {
  plugin: node,
  language: nodeLanguage,
  harness: testHosts({ packages: ["nodejs"] }),
};
