import { conformance, type Lacking } from "./check.ts";
import { CacheBench, type CacheSubject } from "./accounts/cache-bench.ts";
import { cacheChecks } from "./accounts/cache-checks.ts";
import { DatabaseBench, type DatabaseSubject } from "./accounts/database-bench.ts";
import { databaseChecks } from "./accounts/database-checks.ts";
import { HttpBench, type HttpSubject } from "./http/http-bench.ts";
import { httpChecks } from "./http/http-checks.ts";
import { PhpBench, type PhpSubject } from "./php/php-bench.ts";
import { phpChecks } from "./php/php-checks.ts";
import { PlatformBench, type PlatformSubject } from "./platform/platform-bench.ts";
import { platformChecks } from "./platform/platform-checks.ts";
import type { ResourceBench } from "./resources/resource-bench.ts";
import { resourceChecks } from "./resources/resource-checks.ts";

/** Registers with vitest what every database service must hold, on two hosts of the harness. */
export function databaseConformance(subject: DatabaseSubject): void {
  const title = `${subject.plugin.name}: a database service`;
  conformance(title, databaseChecks, subject.lacking ?? {}, async () => DatabaseBench.open(subject));
}

/** Registers with vitest what every cache service must hold, on two hosts of the harness. */
export function cacheConformance(subject: CacheSubject): void {
  const title = `${subject.plugin.name}: a cache service`;
  conformance(title, cacheChecks, subject.lacking ?? {}, async () => CacheBench.open(subject));
}

/** Registers with vitest what every http service must hold, on one host of the harness. */
export function httpConformance(subject: HttpSubject): void {
  const title = `${subject.plugin.name}: an http service`;
  conformance(title, httpChecks, subject.lacking ?? {}, async () => HttpBench.open(subject));
}

/** Registers with vitest what every php service must hold, on one host of the harness. */
export function phpConformance(subject: PhpSubject): void {
  const types = subject.plugin.resourceTypes ?? [];
  const lacking = {
    secrets: "nothing that a php service declares holds a secret",
    ...(types.length > 0 ? {} : { ownTypes: "the plugin brings no resource type: core's are tested with core" }),
    ...subject.lacking,
  };
  conformance(`${subject.plugin.name}: a php service`, phpChecks, lacking, async () => PhpBench.open(subject));
}

/** Registers with vitest what every platform must hold, on one host of the harness. */
export function platformConformance(subject: PlatformSubject): void {
  const title = `${subject.plugin.name}: a platform on ${subject.database.name}`;
  conformance(title, platformChecks, subject.lacking ?? {}, async () => PlatformBench.open(subject));
}

/** Registers with vitest what every resource type must hold, for types that belong to no service. */
export function resourceConformance(
  title: string,
  open: () => Promise<ResourceBench & AsyncDisposable>,
  lacking: Lacking = {},
): void {
  conformance<ResourceBench & AsyncDisposable>(title, resourceChecks, lacking, open);
}
