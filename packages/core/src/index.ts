import "./node-version.ts";
/** What an application uses that opens an instance; what plugins are made with is `@hostwright/core/plugin`. */
export { HostwrightError, isHostwrightError } from "./errors/hostwright-error.ts";
export type { ErrorDetails } from "./errors/hostwright-error.ts";
export { ERROR_CODES } from "./errors/codes.ts";
export type { ErrorCode } from "./errors/codes.ts";
export { Secret, secret } from "./model/secret.ts";
export type {
  PlatformDeclaration,
  PlatformPlugin,
  Plugin,
  ServiceDeclaration,
  ServicePlugin,
  SiteDeclaration,
} from "./contracts/plugin.ts";
export type { Problem } from "./contracts/problem.ts";
export { Server } from "./model/server.ts";
export type { ServerStats } from "./model/server.ts";
export type { OwnRules, OwnRulesInput, Redirect, ResponseHeader } from "./model/own-rules.ts";
export type { PathPattern } from "./model/path-pattern.ts";
export type { SiteLimits } from "./contracts/views.ts";
export { createHostwright, Hostwright } from "./hostwright.ts";
export type { RunOptions, SubmitOptions } from "./hostwright.ts";
export type { HostwrightOptions } from "./options.ts";
export { PART } from "./parts.ts";
export { provide } from "./di/provider.ts";
export { EmbeddedQueue } from "./queue/embedded-queue.ts";
export type { Container, Provider, Token } from "./contracts/part.ts";
export { token } from "./di/tokens.ts";
export type { Plan } from "./api/plan.ts";
export type { Platforms } from "./api/platforms.ts";
export type { Servers } from "./api/servers.ts";
export type { Sites } from "./api/sites.ts";
export type { Task, TaskWaiting } from "./api/task.ts";
export type { ListOptions } from "./api/record-access.ts";
export type { TaskFilter, TaskPage, Tasks, TaskSummary } from "./api/tasks.ts";
export { webhook } from "./notify/webhook.ts";
export type { WebhookOptions } from "./notify/webhook.ts";
export type { Notification, NotificationType, Notifier } from "./contracts/notifier.ts";
export { api, cluster, local, ssh } from "./model/records.ts";
export type {
  ClusterMember,
  ConnectInput,
  ConnectRecord,
  PlatformInput,
  PlatformRecord,
  ServerInput,
  ServerRecord,
  ServicePlace,
  ServiceRecord,
  SiteRecord,
} from "./model/records.ts";
export { parseDomain } from "./model/domain.ts";
export type {
  Action,
  ActivateAction,
  EnsureAction,
  PlanApproval,
  PlannedChange,
  PlannedChild,
  RunAction,
} from "./engine/planning/plan.ts";
export type { EventMap, EventType, HostwrightEvent, Listener } from "./engine/events.ts";
export type { OpenServer } from "./engine/sessions/server-pool.ts";
export type { PlainRequest, TaskRequest, TaskValue } from "./contracts/task.ts";
export type { Resolution } from "./engine/workers/resolve.ts";
export type { TaskOutcome } from "./api/task-outcome.ts";
export type { TaskState } from "./contracts/store.ts";
export type { TaskProgress } from "./api/task-progress.ts";
export type { RenderOptions } from "./engine/planning/render-plan.ts";
export type { StrandedTask } from "./engine/workers/stranding.ts";
export type { Residue } from "./model/residue.ts";
export type { StateProblem } from "./api/checks/check.ts";
export type { Maintained } from "./engine/maintenance/maintain.ts";
export type { Retention } from "./model/retention.ts";
export type { RaisedEpoch } from "./engine/workers/raise-epoch.ts";
export { batch } from "./tasks/batch.ts";
export type { BatchOptions } from "./tasks/batch.ts";
export type { ChildReport, ChildrenReport } from "./contracts/children-report.ts";
export { install } from "./tasks/install-site.ts";
export type { InstallOptions, InstallValue } from "./tasks/install-site.ts";
export { verify } from "./tasks/verify.ts";
export type { SeenPage, VerifyValue } from "./tasks/verify.ts";
export { disable, enable } from "./tasks/switch-site.ts";
export type { SwitchedValue } from "./tasks/switch-site.ts";
export { configure } from "./tasks/configure-site.ts";
export type { ConfiguredValue, ConfigureOptions } from "./tasks/configure-site.ts";
export { deletePlatform } from "./tasks/delete-platform.ts";
export type { DeletedPlatformValue } from "./tasks/delete-platform.ts";
export type { Removed } from "./api/removing.ts";
export { deleteSite } from "./tasks/delete-site.ts";
export type { OfSite } from "./tasks/inputs.ts";
export { prepare } from "./tasks/prepare-server.ts";
export type { PreparedValue } from "./tasks/prepare-server.ts";
export { moveDatabase } from "./tasks/move-database.ts";
export type { MovedDatabaseValue } from "./tasks/move-database.ts";
export { switchHttp } from "./tasks/switch-http.ts";
export type { SwitchHttpValue } from "./tasks/switch-http.ts";
export { takeOver } from "./tasks/take-over.ts";
export type { TakeOverValue } from "./tasks/take-over.ts";
export type { Claim } from "./contracts/facts.ts";
export { preview } from "./tasks/preview.ts";
export type { PreviewValue } from "./contracts/planning.ts";
export { loginLink } from "./tasks/login-link.ts";
export type { LoginLinkValue } from "./tasks/login-link.ts";
export { LocalServer } from "./servers/local-server.ts";
export { SshServer } from "./servers/ssh-server.ts";
export type { SshServerOptions } from "./servers/ssh-server.ts";
export type { Actor, Policy } from "./api/access.ts";
export type { PolicyObject } from "./contracts/policy-object.ts";
