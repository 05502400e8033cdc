import { phpLanguage, testHosts, type RuntimeSubject } from "@hostwright/testing";
import { phpFpm } from "../src/index.ts";

export const subject: RuntimeSubject = { plugin: phpFpm, language: phpLanguage, harness: testHosts() };
