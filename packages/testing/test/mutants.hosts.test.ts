import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { oneIn } from "../../../test/support/drawn.ts";
import { subject as mysqlSubject } from "../../service-mysql/test/subject.ts";
import { subject as nginxSubject } from "../../service-nginx/test/subject.ts";
import { subject as nodeAppSubject } from "../../platform-node/test/subject.ts";
import { subject as nodeSubject } from "../../service-node/test/subject.ts";
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
  PlainBench,
  plainChecks,
  RuntimeBench,
  runtimeChecks,
} from "../src/index.ts";
import { cacheHostMutants } from "./cache-mutants.ts";
import { mysqlMutants, postgresMutants } from "./database-mutants.ts";
import { httpHostMutants } from "./http-mutants.ts";
import { catches } from "./mutant.ts";
import { plainMutants } from "./plain-mutants.ts";
import { nodeMutants, phpMutants } from "./runtime-mutants.ts";

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

for (const [name, subject, mutants, protocol] of [
  ["php-fpm", phpSubject, phpMutants, "fastcgi"],
  ["Node.js", nodeSubject, nodeMutants, "http"],
] as const) {
  describe(`a broken service of ${name} is caught`, () => {
    let bench: RuntimeBench;
    beforeAll(async () => {
      bench = await RuntimeBench.open(subject);
    });
    afterAll(async () => bench?.[Symbol.asyncDispose]());
    const checks = runtimeChecks({ kind: protocol === "http" ? "node" : "php", protocol });
    catches(mutants, checks, async ({ plugin }, index) => bench.with(plugin, (index + 1) * NAMES), oneIn(3));
  });
}

describe("a broken platform without an application is caught", () => {
  const benches: PlainBench[] = [];
  afterEach(async () => {
    for (const bench of benches.splice(0)) await bench[Symbol.asyncDispose]();
  });
  catches(
    plainMutants,
    plainChecks,
    async ({ plugin }) => {
      const bench = await PlainBench.open({ ...nodeAppSubject, plugin });
      benches.push(bench);
      return bench;
    },
    oneIn(3),
  );
});
