import { afterAll, beforeAll, describe } from "vitest";
import { oneIn } from "../../../test/support/drawn.ts";
import { subject as mysqlSubject } from "../../service-mysql/test/subject.ts";
import { subject as nginxSubject } from "../../service-nginx/test/subject.ts";
import { subject as phpSubject } from "../../service-php-fpm/test/subject.ts";
import { subject as postgresSubject } from "../../service-postgres/test/subject.ts";
import { subject as redisSubject } from "../../service-redis/test/subject.ts";
import {
  CacheBench,
  cacheChecks,
  DatabaseBench,
  databaseChecks,
  HttpBench,
  httpChecks,
  PhpBench,
  phpChecks,
} from "../src/index.ts";
import { cacheHostMutants } from "./cache-mutants.ts";
import { mysqlMutants, postgresMutants } from "./database-mutants.ts";
import { httpHostMutants } from "./http-mutants.ts";
import { catches } from "./mutant.ts";
import { phpMutants } from "./php-mutants.ts";

/** Names of things begin anew with each mutant: what a broken one leaves must not hide another. */
const NAMES = 1000;

for (const [name, subject, mutants] of [
  ["MariaDB", mysqlSubject, mysqlMutants],
  ["PostgreSQL", postgresSubject, postgresMutants],
] as const) {
  describe(`a broken service of ${name} is caught`, () => {
    let bench: DatabaseBench;
    beforeAll(async () => {
      bench = await DatabaseBench.open(subject);
    });
    afterAll(async () => bench?.[Symbol.asyncDispose]());
    catches(
      mutants,
      databaseChecks,
      async ({ plugin }, index) => Promise.resolve(bench.with(plugin, (index + 1) * NAMES)),
      oneIn(3),
    );
  });
}

describe("a broken service of Redis is caught", () => {
  let bench: CacheBench;
  beforeAll(async () => {
    bench = await CacheBench.open(redisSubject);
  });
  afterAll(async () => bench?.[Symbol.asyncDispose]());
  catches(
    cacheHostMutants,
    cacheChecks,
    async ({ plugin }, index) => Promise.resolve(bench.with(plugin, (index + 1) * NAMES)),
    oneIn(3),
  );
});

describe("a broken service of nginx is caught", () => {
  let bench: HttpBench;
  beforeAll(async () => {
    bench = await HttpBench.open(nginxSubject);
  });
  afterAll(async () => bench?.[Symbol.asyncDispose]());
  catches(httpHostMutants, httpChecks, async ({ plugin }) => bench.with(plugin), oneIn(3));
});

describe("a broken service of php-fpm is caught", () => {
  let bench: PhpBench;
  beforeAll(async () => {
    bench = await PhpBench.open(phpSubject);
  });
  afterAll(async () => bench?.[Symbol.asyncDispose]());
  catches(phpMutants, phpChecks, async ({ plugin }, index) => bench.with(plugin, (index + 1) * NAMES), oneIn(3));
});
