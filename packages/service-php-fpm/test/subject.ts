import { testHosts, type PhpSubject } from "@hostwright/testing";
import { phpFpm } from "../src/index.ts";

export const subject: PhpSubject = { plugin: phpFpm, harness: testHosts() };
