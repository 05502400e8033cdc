import "./node-version.ts";
/** What plugins are made with. What an application uses is `@hostwright/core`. */
export { HostwrightError, isHostwrightError, toHostwrightError } from "./errors/hostwright-error.ts";
export type { ErrorDetails } from "./errors/hostwright-error.ts";
export { ERROR_CODES } from "./errors/codes.ts";
export type { ErrorCode } from "./errors/codes.ts";
export { Secret, secret } from "./model/secret.ts";
export { quoted, quoteValue, referencesOf, resolveText, showText, text, textOf } from "./model/text.ts";
export type { OutputReference } from "./model/outputs.ts";
export type { Quote, Reference, Resolve, Text } from "./model/text.ts";
export { CONTRACT } from "./plugin-kit/contract.ts";
export type { Clock } from "./model/time.ts";
export type { Container, Provider, Token } from "./contracts/part.ts";
export type { QueueWorker, TaskQueue } from "./contracts/queue.ts";
export { provide } from "./di/provider.ts";
export { PART } from "./parts.ts";
export { defineTask } from "./plugin-kit/define-task.ts";
export { childrenReport } from "./plugin-kit/children-report.ts";
export type { ChildReport, ChildrenReport } from "./contracts/children-report.ts";
export type {
  AnyTaskType,
  PlainRequest,
  TaskChildren,
  TaskCommit,
  TaskDescription,
  TaskDraft,
  TaskRequest,
  TaskSubject,
  TaskType,
  TaskValue,
} from "./contracts/task.ts";
export type {
  BoundService,
  CoreKinds,
  Inventory,
  Members,
  Planning,
  PreviewValue,
  Registered,
  RegisteredQuery,
  RoleOf,
} from "./contracts/planning.ts";
export type { Claim, FactsWanted, ServerClaim, ServerFacts, Standing } from "./contracts/facts.ts";
export type {
  RecordChange,
  RecordKind,
  RecordRemoval,
  RecordVersion,
  ResourceHold,
  TaskState,
} from "./contracts/store.ts";
export type {
  ActivateStep,
  AssumedSet,
  EnsureStep,
  Owned,
  Phase,
  ProgramEnd,
  ProgramSink,
  ProgramSource,
  ResourceFilter,
  RunStep,
  Selector,
  SetName,
  Step,
  TransferSink,
  TransferSource,
  TransferStep,
} from "./contracts/steps.ts";
/** What tasks on sites and servers are made of: core's own, too. */
export { entriesOf, entryAddress, isEntryOf } from "./plugin-kit/entries.ts";
export { siteParts } from "./tasks/site-parts.ts";
export type { Backing, CommonParts, SiteHead, SiteParts } from "./tasks/site-parts.ts";
export {
  activateStep,
  applicationHead,
  backingItems,
  httpItems,
  ownerOf,
  probeSteps,
  siteCommandStep,
  siteSteps,
  webItems,
} from "./tasks/site-steps.ts";
export type { ApplicationHead, RunningHead, SiteSteps } from "./tasks/site-steps.ts";
export { changeSite, newSite } from "./tasks/site-change.ts";
export type { NewSite } from "./tasks/site-change.ts";
export { serverSteps } from "./tasks/server-steps.ts";
export { chooseService } from "./tasks/choose-service.ts";
export type { ServiceAsked } from "./tasks/choose-service.ts";
export { refuseProblems } from "./tasks/prerequisites.ts";
export { breathe } from "./model/breathe.ts";
export { KindName } from "./model/kind-name.ts";
export { namesOf } from "./model/names-of.ts";
export { parseInput } from "./model/parse.ts";
export { redirectLoop } from "./model/redirect-loop.ts";
export { expectedStatus } from "./plugin-kit/web/expected-status.ts";
export { fetchPage } from "./operations/probe-page.ts";
export type { Page, ProbePageInput } from "./operations/probe-page.ts";
export type { SiteCommandInput } from "./operations/site-command.ts";
export type { TakeOverInput, TakeServerInput } from "./contracts/operation-inputs.ts";
export { definePlatform } from "./plugin-kit/define-platform.ts";
export {
  defineBackingService,
  defineCacheService,
  defineDatabaseService,
  defineHttpService,
  defineRuntimeService,
} from "./plugin-kit/define-service.ts";
export type {
  FactProbe,
  OptionsDefinition,
  PlatformDeclaration,
  PlatformDefinition,
  PlatformPlugin,
  Plugin,
  Requirement,
  ServiceDeclaration,
  ServiceDefinition,
  ServiceKind,
  ServicePlugin,
  ServiceRoles,
  SiteDeclaration,
  UnwantedUnit,
} from "./contracts/plugin.ts";
export type { Problem } from "./contracts/problem.ts";
export { RANK } from "./resources/rank.ts";
export type { FreeSpaceGuard, Guard } from "./contracts/guard.ts";
export type { AnyResourceType, Change, Declared, Removal, ResourceType, Target } from "./contracts/resource.ts";
export { Server } from "./model/server.ts";
export type { Command, CommandResult, Script, ServerStats, SocketAddress } from "./model/server.ts";
export { ALWAYS_DENIED } from "./plugin-kit/web/always-denied.ts";
export type { CacheRule, OwnPath, PathPattern, ScriptRules, WebRules } from "./contracts/web-rules.ts";
export { oneLine, quoteRefused } from "./plugin-kit/web/plain.ts";
export { regexLiteral } from "./plugin-kit/web/regex-literal.ts";
export { toPcre } from "./plugin-kit/web/to-pcre.ts";
export { toRe2 } from "./plugin-kit/web/to-re2.ts";
export type { Re2Term } from "./plugin-kit/web/to-re2.ts";
export type { UrlLeaf, UrlMatcher } from "./plugin-kit/web/url-matcher.ts";
export type { CacheAge, WebAnswer, WebStep } from "./plugin-kit/web/routing-rules.ts";
export { DOT_SEGMENT, httpEntry, webSite } from "./plugin-kit/web/web-site.ts";
export type { WebHost, WebPassword, WebPhp, WebSite, WebUpstream } from "./plugin-kit/web/web-site.ts";
export { webServerProblems } from "./plugin-kit/web/web-server-problems.ts";
export type { WebServerName } from "./plugin-kit/web/web-server-problems.ts";
export { NO_OWN_RULES, OwnRulesSchema } from "./model/own-rules.ts";
export type { OwnRules, OwnRulesInput, Redirect, ResponseHeader } from "./model/own-rules.ts";
export type { Blame, Entry, Publication, PublicationStatus } from "./contracts/publication.ts";
export type { ServedName, HttpRole } from "./contracts/roles/http.ts";
export type { RuntimeRole, UnitProperty } from "./contracts/roles/runtime.ts";
export type { BackingRole, BindingRequest, CacheRole } from "./contracts/roles/backing.ts";
export type { DatabaseCopy, DatabaseMoving, DatabaseRole } from "./contracts/roles/database.ts";
export type {
  ApplicationStatus,
  CodeNeeded,
  Detected,
  Driver,
  Application,
  DriverCall,
  MountPoint,
  Need,
  Needs,
  OwnFolder,
  PlatformLayout,
  PlatformRole,
  SettingsFile,
  SiteSeed,
  SourceReader,
} from "./contracts/platform.ts";
export type {
  Bind,
  Binding,
  Bindings,
  CacheBinding,
  DatabaseBinding,
  PlatformView,
  RuntimeProtocol,
  RuntimeView,
  ServerView,
  ServiceView,
  SiteLimits,
  SitePaths,
  SiteView,
} from "./contracts/views.ts";
export type { Operation, OperationContext, ProbeResult } from "./contracts/operation.ts";
export { joinSql, refusedSql, sql, sqlKeyword, sqlNumber } from "./model/sql.ts";
export type { Sql } from "./model/sql.ts";
export {
  DatabaseName,
  ListenAddresses,
  listeningAddress,
  notInstalled,
  PasswordReference,
  Port,
  problemIf,
  tabbedValues,
  undeclaredListening,
} from "./plugin-kit/database-service.ts";
export type { WithDefaults } from "./plugin-kit/database-service.ts";
export { shaCrypt } from "./model/sha-crypt.ts";
export { webHeadAddress } from "./model/web-head.ts";
export { databaseSession, StatementFailed } from "./resources/database-session.ts";
export type { DatabaseDriver, DatabaseSession } from "./resources/database-session.ts";
export type { DatabaseFailure } from "./resources/database-error.ts";
export { defineDatabaseResource } from "./resources/define-database-resource.ts";
export type { DatabaseResource, DatabaseStatement } from "./resources/database-resource.ts";
export { directory } from "./resources/directory.ts";
export type { DirectoryInput, DirectorySpec } from "./resources/directory.ts";
export { file } from "./resources/file.ts";
export type { FileInput, FileSpec } from "./resources/file.ts";
export { link } from "./resources/link.ts";
export { reloadedFileType } from "./resources/reloaded-file.ts";
export type { ReloadedFileInput } from "./resources/reloaded-file.ts";
export type { DirectoryState, FileState, LinkState, OtherState, PathState } from "./resources/path-state.ts";
export type { LinkInput, LinkSpec } from "./resources/link.ts";
export { isApi, SiteLimitsSchema } from "./model/records.ts";
export type { PlatformRecord, ServerRecord, ServicePlace, ServiceRecord, SiteRecord } from "./model/records.ts";
export { parseDomain } from "./model/domain.ts";
export type { Residue } from "./model/residue.ts";
export { tree } from "./resources/tree.ts";
export type { TreeInput, TreeMountPoint, TreeSpec } from "./resources/tree.ts";
export { digestTree, surveyTree } from "./resources/tree-digest.ts";
export type { TreeSurvey } from "./resources/tree-digest.ts";
export { safeId, safePath, unitValue } from "./plugin-kit/units/quote.ts";
export { siteSandbox } from "./plugin-kit/units/site-sandbox.ts";
export type { SandboxNeeds } from "./plugin-kit/units/site-sandbox.ts";
export { siteSocketUnit, UNIT_HEADER, unitDigest, unitLines, unitPath } from "./plugin-kit/units/site-units.ts";
export { unit } from "./resources/unit.ts";
export type { UnitInput, UnitSpec } from "./resources/unit.ts";
export { AFTER_NETWORK, unitDropIn } from "./resources/unit-drop-in.ts";
export { unixUser } from "./resources/unix-user.ts";
export type { UnixUserInput, UnixUserSpec } from "./resources/unix-user.ts";
export { generations } from "./resources/generations.ts";
export type { GenerationsSpec } from "./resources/generations.ts";
export { ACME_FOLDER, webServer } from "./resources/web-server.ts";
export type { WebServerInput } from "./resources/web-server.ts";
export { runChecked } from "./servers/checked.ts";
