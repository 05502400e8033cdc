import { LocalServer } from "@hostwright/core";
import { phpFpm } from "@hostwright/service-php-fpm";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { subject as mysqlSubject } from "../../service-mysql/test/subject.ts";
import { subject as nginxSubject } from "../../service-nginx/test/subject.ts";
import { subject as redisSubject } from "../../service-redis/test/subject.ts";
import { subject as wordpressSubject } from "../../platform-wordpress/test/subject.ts";
import {
  assertKnown,
  CacheBench,
  cacheChecks,
  DatabaseBench,
  databaseChecks,
  failureOf,
  HttpBench,
  httpChecks,
  resourceChecks,
  plainChecks,
  PlatformBench,
  platformChecks,
  runtimeChecks,
  type HostSet,
  type TestedHost,
} from "../src/index.ts";
import { cacheMutants } from "./cache-mutants.ts";
import { databaseMutants } from "./database-mutants.ts";
import { httpMutants } from "./http-mutants.ts";
import { catches } from "./mutant.ts";
import { platformMutants } from "./platform-mutants.ts";

const nobody: TestedHost = {
  name: "nobody",
  address: "192.0.2.10",
  server: new LocalServer("nobody"),
  exec: async () => Promise.reject(new Error("this check was to need no host")),
};

/** Hosts that nothing is asked of. */
const none: HostSet = { hosts: [nobody, { ...nobody, address: "192.0.2.11" }], [Symbol.asyncDispose]: async () => {} };

const phpRuntime = runtimeChecks({ kind: "php", protocol: "fastcgi" });
const programRuntime = runtimeChecks({ kind: "node", protocol: "http" });

let codebase: string;

beforeAll(async () => {
  codebase = await mkdtemp(join(tmpdir(), "codebase-"));
  await mkdir(join(codebase, "wp-includes"));
  await writeFile(join(codebase, "wp-includes/version.php"), "<?php\n$wp_version = '6.8.1';\n");
  await writeFile(join(codebase, "wp-settings.php"), "<?php\n");
});

afterAll(async () => rm(codebase, { recursive: true, force: true }));

const platformSubject = { ...wordpressSubject, php: phpFpm, codebase: async () => Promise.resolve(codebase) };

describe("a broken database service is caught without a host", () => {
  catches(databaseMutants, databaseChecks, async ({ plugin }) =>
    Promise.resolve(
      new DatabaseBench({ ...mysqlSubject, options: (address) => ({ listen: [address] }), plugin }, none),
    ),
  );
});

describe("a broken cache service is caught without a host", () => {
  catches(cacheMutants, cacheChecks, async ({ plugin }) =>
    Promise.resolve(new CacheBench({ ...redisSubject, plugin }, none)),
  );
});

describe("a broken http service is caught without a host", () => {
  catches(httpMutants, httpChecks, async ({ plugin }) =>
    Promise.resolve(new HttpBench({ ...nginxSubject, plugin }, none)),
  );
});

describe("a broken platform is caught without a host", () => {
  catches(platformMutants, platformChecks, async ({ plugin }) =>
    Promise.resolve(new PlatformBench({ ...platformSubject, plugin }, none)),
  );
});

test("the unbroken ones pass the same checks", async () => {
  const failures = async <Bench>(
    bench: Bench,
    checks: readonly Parameters<typeof failureOf<Bench>>[0][],
    mutants: readonly { readonly caughtBy: string }[],
  ): Promise<readonly (string | null)[]> => {
    const used = checks.filter(({ name }) => mutants.some(({ caughtBy }) => name.startsWith(caughtBy)));
    expect(used.length).toBeGreaterThan(2);
    return Promise.all(used.map(async (check) => failureOf(check, bench)));
  };
  const found = [
    ...(await failures(new DatabaseBench(mysqlSubject, none), databaseChecks, databaseMutants)),
    ...(await failures(new CacheBench(redisSubject, none), cacheChecks, cacheMutants)),
    ...(await failures(new HttpBench(nginxSubject, none), httpChecks, httpMutants)),
    ...(await failures(new PlatformBench(platformSubject, none), platformChecks, platformMutants)),
  ];
  expect(found.filter((failure) => failure !== null)).toEqual([]);
});

test("a capability is lacking by a name that a check knows, and with a reason", () => {
  expect(() => assertKnown(databaseChecks, { hostRestriction: "it has one address only" })).not.toThrow();
  expect(() => assertKnown(databaseChecks, { hostRestrictions: "a slip" })).toThrow(
    'no check needs "hostRestrictions"; there are: hostRestriction, moving, ownTypes, secrets',
  );
  expect(() => assertKnown(databaseChecks, { hostRestriction: " " })).toThrow("without a reason");
});

test("every check of a suite has a name of its own", () => {
  for (const checks of [
    cacheChecks,
    databaseChecks,
    httpChecks,
    phpRuntime,
    programRuntime,
    plainChecks,
    platformChecks,
  ]) {
    const names = (checks as readonly { readonly name: string }[]).map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  }
});

test("the README tells how many checks each suite has", () => {
  const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const told = [...text.matchAll(/^\| `(\w+)Conformance\([^)]*\)`( of \w+)? *\| *\d+ *\| *(\d+) /gm)].map(
    ([, name = "", what = "", count]) => [name + what, Number(count)],
  );
  const suites = {
    cache: cacheChecks,
    database: databaseChecks,
    http: httpChecks,
    plainPlatform: plainChecks,
    platform: platformChecks,
    resource: resourceChecks,
    "runtime of PHP": phpRuntime,
    "runtime of programs": programRuntime,
  };
  expect(told).toEqual(Object.entries(suites).map(([name, checks]) => [name, checks.length]));
});

test("each promise in the documents is one that a check looks at", () => {
  const text = readFileSync(new URL("../../../docs/plugin-author.md", import.meta.url), "utf8");
  const tables = [...text.matchAll(/^\| promise .*?(?=\n\n)/gms)].map(([table]) => table.split("\n").slice(2));
  const known: readonly (readonly { readonly name: string }[])[] = [
    httpChecks,
    [...phpRuntime, ...programRuntime],
    plainChecks,
  ];
  expect(tables.map((rows) => rows.length > 7)).toEqual(known.map(() => true));
  for (const [index, checks] of known.entries()) {
    const named = (tables[index] ?? []).map((row) => row.split(" | ").at(-1) ?? "");
    const begins = named.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, begin = ""]) => begin));
    expect(begins.filter((begin) => !checks.some(({ name }) => name.startsWith(begin)))).toEqual([]);
  }
});
