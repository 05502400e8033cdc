export { assertKnown, conformance, failureOf } from "./check.ts";
export type { Check, Lacking } from "./check.ts";
export { hostAt, sh } from "./host.ts";
export type { ExecOptions, ExecResult, Harness, HostSet, TestedHost } from "./host.ts";
export { hostileNames, hostileTexts, isRefusal, orRefused, SEED } from "./hostile.ts";
export { resourceChecks } from "./resource-checks.ts";
export { working } from "./resource-bench.ts";
export type { Drift, ResourceBench } from "./resource-bench.ts";
export { serviceChecks } from "./service-checks.ts";
export type { ServiceBench } from "./service-checks.ts";
export { AccountBench } from "./account-bench.ts";
export type { AccountRole, AccountSubject, Said, Statements } from "./account-bench.ts";
export { CacheBench } from "./cache-bench.ts";
export type { CacheSubject } from "./cache-bench.ts";
export { cacheChecks } from "./cache-checks.ts";
export { DatabaseBench } from "./database-bench.ts";
export type { DatabaseSubject } from "./database-bench.ts";
export { databaseChecks } from "./database-checks.ts";
export { openTarget, SECRET_MARK, secretOf } from "./target.ts";
export type { OpenTarget, TargetOptions } from "./target.ts";
export { NO_RULES, readFacts, serverViewOf, siteViewOf } from "./views.ts";
export { WatchedServer } from "./watched-server.ts";
export { Work } from "./work.ts";
export type { AnyType, Compared } from "./work.ts";
export { HttpBench } from "./http-bench.ts";
export type { Answer, ConfigFile, HttpSubject } from "./http-bench.ts";
export { httpChecks } from "./http-checks.ts";
export { PhpBench } from "./php-bench.ts";
export type { PhpSubject } from "./php-bench.ts";
export { phpChecks } from "./php-checks.ts";
export { PlacedSite } from "./placed-site.ts";
export { PlatformBench, readerOf } from "./platform-bench.ts";
export type { Called, PlatformSubject } from "./platform-bench.ts";
export { platformChecks } from "./platform-checks.ts";
export type { PhpAnswer } from "./fastcgi.ts";
export {
  cacheConformance,
  databaseConformance,
  httpConformance,
  phpConformance,
  platformConformance,
  resourceConformance,
} from "./suites.ts";
export { sshHarness } from "./ssh-harness.ts";
export type { SshHarnessOptions } from "./ssh-harness.ts";
export { drupalRules, ownRules, wordpressRules } from "./http-samples.ts";
