import type { BaseName } from "@hostwright/testing";
import { FLAVOURS, type Flavour } from "../../packages/service-mysql/src/flavour.ts";

/** Which server these tests are about: MariaDB, or with HOSTWRIGHT_TEST_MYSQL=1 (`npm run test:mysql`) MySQL. */
export const flavour: Flavour = process.env["HOSTWRIGHT_TEST_MYSQL"] === "1" ? "mysql" : "mariadb";

export const { client } = FLAVOURS[flavour];
/** Databases that the server shows to every account. */
export const EVERYBODYS: readonly string[] = {
  mariadb: ["information_schema"],
  mysql: ["information_schema", "performance_schema"],
}[flavour];
/** As test hosts name it. */
export const service: string = FLAVOURS[flavour].unit.replace(".service", "");
/** Of a host that has it installed. */
export const base: BaseName = flavour === "mysql" ? "mysql" : "debian";
