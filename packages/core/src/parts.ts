import type { Clock } from "./model/time.ts";
import type { ServiceDefinition } from "./contracts/plugin.ts";
import type { Token } from "./contracts/part.ts";
import type { TaskQueue } from "./contracts/queue.ts";
import type { OpenKernel } from "./contracts/store/kernel.ts";
import { token } from "./di/tokens.ts";
import type { Events } from "./engine/events.ts";
import type { EngineParts } from "./engine/planning/task-engine.ts";
import type { Registry } from "./engine/plugins/registry.ts";
import type { ServerPool, OpenServer } from "./engine/sessions/server-pool.ts";
import type { TaskEnds } from "./engine/task-ends.ts";
import type { Telemetry } from "./engine/telemetry.ts";
import type { Upkeep } from "./engine/workers/upkeep.ts";
import type { Worker } from "./engine/workers/worker.ts";
import type { Notifying } from "./notify/notifying.ts";
import type { OpenState } from "./store/open-state.ts";
import type { SecretVault } from "./store/secrets.ts";

/**
 * Parts of an instance by name. An application replaces any of them with `provide(PART.queue, ...)`, a plugin with its `parts`.
 * The first five are contracts of their own; the others are core's insides, which may change with any version.
 */
export const PART: {
  /** Opens the store; default: SQLite in the state folder. */
  readonly openKernel: Token<OpenKernel>;
  /** Default: the store is the queue. */
  readonly queue: Token<TaskQueue>;
  /** Default: this machine's. */
  readonly clock: Token<Clock>;
  /** How servers are reached; default: by SSH, and the machine itself. */
  readonly openServer: Token<OpenServer>;
  /** What stands behind a service's kind and type; default: what its plugin brings. */
  service(kind: string, type: string): Token<ServiceDefinition>;
  /** There once the store is open. */
  readonly state: Token<OpenState>;
  readonly registry: Token<Registry>;
  readonly vault: Token<SecretVault>;
  readonly pool: Token<ServerPool>;
  readonly events: Token<Events>;
  readonly ends: Token<TaskEnds>;
  readonly telemetry: Token<Telemetry>;
  readonly engine: Token<EngineParts>;
  readonly worker: Token<Worker>;
  readonly upkeep: Token<Upkeep>;
  readonly notifying: Token<Notifying>;
} = {
  openKernel: token("open-kernel"),
  queue: token("queue"),
  clock: token("clock"),
  openServer: token("open-server"),
  service: (kind, type) => token(`service ${kind} ${type}`),
  state: token("state"),
  registry: token("registry"),
  vault: token("vault"),
  pool: token("server-pool"),
  events: token("events"),
  ends: token("task-ends"),
  telemetry: token("telemetry"),
  engine: token("engine"),
  worker: token("worker"),
  upkeep: token("upkeep"),
  notifying: token("notifying"),
};
