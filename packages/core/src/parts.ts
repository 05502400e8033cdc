import { token, type Token } from "./di/tokens.ts";
import type { Events } from "./engine/events.ts";
import type { EngineParts } from "./engine/planning/task-engine.ts";
import type { Registry } from "./engine/plugins/registry.ts";
import type { ServerPool, OpenServer } from "./engine/sessions/server-pool.ts";
import type { TaskEnds } from "./engine/task-ends.ts";
import type { Telemetry } from "./engine/telemetry.ts";
import type { Worker } from "./engine/workers/worker.ts";
import type { Notifying } from "./notify/notifying.ts";
import type { EmbeddedQueue } from "./queue/embedded-queue.ts";
import type { SecretVault } from "./store/secrets.ts";

/** Parts of an instance by name; an application replaces any of them with `provide(PART.openServer, ...)`. */
export const PART: {
  readonly openServer: Token<OpenServer>;
  readonly registry: Token<Registry>;
  readonly vault: Token<SecretVault>;
  readonly pool: Token<ServerPool>;
  readonly events: Token<Events>;
  readonly ends: Token<TaskEnds>;
  readonly telemetry: Token<Telemetry>;
  readonly engine: Token<EngineParts>;
  readonly worker: Token<Worker>;
  readonly queue: Token<EmbeddedQueue>;
  readonly notifying: Token<Notifying>;
} = {
  openServer: token("open-server"),
  registry: token("registry"),
  vault: token("vault"),
  pool: token("server-pool"),
  events: token("events"),
  ends: token("task-ends"),
  telemetry: token("telemetry"),
  engine: token("engine"),
  worker: token("worker"),
  queue: token("queue"),
  notifying: token("notifying"),
};
