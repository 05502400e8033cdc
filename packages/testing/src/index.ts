export { assertKnown, conformance, failureOf } from "./check.ts";
export type { Check, Lacking } from "./check.ts";
export { hostAt, sh } from "./hosts/host.ts";
export type { ExecOptions, ExecResult, Harness, HostSet, TestedHost } from "./hosts/host.ts";
export { hostileNames, hostileTexts, isRefusal, orRefused, SEED } from "./hostile.ts";
export { resourceChecks } from "./resources/resource-checks.ts";
export { working } from "./resources/resource-bench.ts";
export type { Drift, ResourceBench } from "./resources/resource-bench.ts";
export { serviceChecks } from "./service-checks.ts";
export type { ServiceBench } from "./service-checks.ts";
export { AccountBench } from "./accounts/account-bench.ts";
export type { AccountRole, AccountSubject, Said, Statements } from "./accounts/account-bench.ts";
export { CacheBench } from "./accounts/cache-bench.ts";
export type { CacheSubject } from "./accounts/cache-bench.ts";
export { cacheChecks } from "./accounts/cache-checks.ts";
export { DatabaseBench } from "./accounts/database-bench.ts";
export type { DatabaseSubject } from "./accounts/database-bench.ts";
export { databaseChecks } from "./accounts/database-checks.ts";
export { openTarget, SECRET_MARK, secretOf } from "./resources/target.ts";
export type { OpenTarget, TargetOptions } from "./resources/target.ts";
export { serviceOf, type CoreKinds } from "./subject.ts";
export { NO_RULES, readFacts, serverView, siteView } from "./views.ts";
export { WatchedServer } from "./hosts/watched-server.ts";
export { Work } from "./resources/work.ts";
export type { AnyType, Compared } from "./resources/work.ts";
export { HttpBench, sampleSites } from "./http/http-bench.ts";
export type { Answer, ConfigFile, HttpSubject } from "./http/http-bench.ts";
export { httpChecks } from "./http/http-checks.ts";
export type { RuntimeLanguage, RuntimeProgram } from "./runtime/language.ts";
export { nodeLanguage } from "./runtime/node.ts";
export { phpLanguage } from "./runtime/php.ts";
export { PlacedSite } from "./runtime/placed-site.ts";
export { RuntimeBench } from "./runtime/runtime-bench.ts";
export type { RuntimeSubject } from "./runtime/runtime-bench.ts";
export { runtimeChecks } from "./runtime/runtime-checks.ts";
export { PlainBench } from "./platform/plain-bench.ts";
export type { Page, PlainPlatformSubject } from "./platform/plain-bench.ts";
export { plainChecks } from "./platform/plain-checks.ts";
export { PlatformBench, readerOf } from "./platform/platform-bench.ts";
export type { Called, PlatformSubject } from "./platform/platform-bench.ts";
export { platformChecks } from "./platform/platform-checks.ts";
export { roleChecks } from "./platform/role-checks.ts";
export type { RoleBench } from "./platform/role-checks.ts";
export type { SiteAnswer } from "./runtime/site-answer.ts";
export {
  cacheConformance,
  databaseConformance,
  httpConformance,
  plainPlatformConformance,
  platformConformance,
  resourceConformance,
  runtimeConformance,
} from "./suites.ts";
export { sshHarness } from "./hosts/ssh-harness.ts";
export type { SshHarnessOptions } from "./hosts/ssh-harness.ts";
export { drupalRules, ownRules, wordpressRules } from "./http/http-samples.ts";
export { testHosts } from "./containers/harness.ts";
export type { TestHostsOptions } from "./containers/harness.ts";
export { startHosts } from "./containers/hosts.ts";
export type { StartOptions, TestHosts } from "./containers/hosts.ts";
export type { HostSpec } from "./containers/host-spec.ts";
export type { TestHost } from "./containers/test-host.ts";
export type { BaseName } from "./containers/base-recipe.ts";
export type { RunOptions } from "./containers/run.ts";
export { sshTo } from "./containers/ssh-to.ts";
