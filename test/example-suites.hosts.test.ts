import { test } from "vitest";
import { FULL } from "./faults/scope.ts";
// What people start from passes the suites that they will run.
import "../examples/plugins/resource-conformance.ts";

/** As long as those of nginx and php-fpm. */
const LONG = ["http", "php"];

for (const role of FULL ? LONG : []) await import(`../examples/plugins/${role}-conformance.ts`);
test.for(FULL ? [] : LONG)("the suite of %s on its example", (_role, context) =>
  context.skip("npm run test:full runs it"),
);
