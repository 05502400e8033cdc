import type { ServiceDefinition } from "@hostwright/core";
import { httpTable } from "../../../test/support/http-table.ts";
import { apache } from "../src/index.ts";
import { serverView } from "./samples.ts";

httpTable("Apache", {
  definition: apache.services?.[0] as Extract<ServiceDefinition, { kind: "http" }>,
  view: serverView(),
  log: "/var/log/apache2/other_vhosts_access.log",
});
