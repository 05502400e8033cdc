import type { PhpSubject } from "@hostwright/testing";
import { harness } from "../../../test/support/harness.ts";
import { phpFpm } from "../src/index.ts";

export const subject: PhpSubject = { plugin: phpFpm, harness: harness() };
