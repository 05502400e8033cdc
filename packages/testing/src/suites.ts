import { conformance, type Lacking } from "./check.ts";
import { CacheBench, type CacheSubject } from "./accounts/cache-bench.ts";
import { cacheChecks } from "./accounts/cache-checks.ts";
import { DatabaseBench, type DatabaseSubject } from "./accounts/database-bench.ts";
import { databaseChecks } from "./accounts/database-checks.ts";
import { HttpBench, type HttpSubject } from "./http/http-bench.ts";
import { httpChecks } from "./http/http-checks.ts";
import { PlainBench, type PlainPlatformSubject } from "./platform/plain-bench.ts";
import { plainChecks } from "./platform/plain-checks.ts";
import { PlatformBench, type PlatformSubject } from "./platform/platform-bench.ts";
import { platformChecks } from "./platform/platform-checks.ts";
import type { ResourceBench } from "./resources/resource-bench.ts";
import { resourceChecks } from "./resources/resource-checks.ts";
import { RuntimeBench, type RuntimeSubject } from "./runtime/runtime-bench.ts";
import { runtimeChecks } from "./runtime/runtime-checks.ts";
import { runtimeOf } from "./subject.ts";

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

/** Registers with vitest what every runtime of its kind and protocol must hold, on one host of the harness. */
export function runtimeConformance(subject: RuntimeSubject): void {
  const { plugin } = subject;
  const { kind, role } = runtimeOf(plugin);
  const types = plugin.resourceTypes ?? [];
  const lacking = {
    secrets: "nothing that a runtime declares holds a secret",
    ...(types.length > 0 ? {} : { ownTypes: "the plugin brings no resource type: core's are tested with core" }),
    ...subject.lacking,
  };
  const checks = runtimeChecks({ kind, protocol: role.protocol });
  conformance(`${plugin.name}: a runtime`, checks, lacking, async () => RuntimeBench.open(subject));
}

/** Registers with vitest what every platform with an application must hold, on one host of the harness. */
export function platformConformance(subject: PlatformSubject): void {
  const title = `${subject.plugin.name}: a platform on ${subject.database.name}`;
  conformance(title, platformChecks, subject.lacking ?? {}, async () => PlatformBench.open(subject));
}

/** Registers with vitest what every platform without an application must hold, on one host of the harness. */
export function plainPlatformConformance(subject: PlainPlatformSubject): void {
  const title = `${subject.plugin.name}: a platform behind ${subject.http.name}`;
  conformance(title, plainChecks, subject.lacking ?? {}, async () => PlainBench.open(subject));
}

/** Registers with vitest what every resource type must hold, for types that belong to no service. */
export function resourceConformance(
  title: string,
  open: () => Promise<ResourceBench & AsyncDisposable>,
  lacking: Lacking = {},
): void {
  conformance<ResourceBench & AsyncDisposable>(title, resourceChecks, lacking, open);
}
