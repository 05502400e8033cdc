import type { Server } from "./contracts/server.ts";
import { provide, type Provider } from "./di/container.ts";
import { token, type Token } from "./di/tokens.ts";
import { Events } from "./engine/events.ts";
import { Registry } from "./engine/registry.ts";
import { ServerPool, type OpenServer } from "./engine/server-pool.ts";
import type { EngineParts } from "./engine/task-engine.ts";
import { Telemetry } from "./engine/telemetry.ts";
import { Worker } from "./engine/worker.ts";
import type { HostwrightOptions } from "./options.ts";
import { Secret } from "./model/secret.ts";
import { coreOperations } from "./operations/core-operations.ts";
import { EmbeddedQueue } from "./queue/embedded-queue.ts";
import { coreResourceTypes } from "./resources/core-types.ts";
import { LocalServer } from "./servers/local-server.ts";
import { SshServer } from "./servers/ssh-server.ts";
import type { OpenState } from "./store/open-state.ts";
import { SecretVault } from "./store/secrets.ts";
import { coreTasks } from "./tasks/core-tasks.ts";

/** Parts of an instance by name; an application replaces any of them with `provide(PART.openServer, ...)`. */
export const PART: {
  readonly openServer: Token<OpenServer>;
  readonly registry: Token<Registry>;
  readonly vault: Token<SecretVault>;
  readonly pool: Token<ServerPool>;
  readonly events: Token<Events>;
  readonly telemetry: Token<Telemetry>;
  readonly engine: Token<EngineParts>;
  readonly worker: Token<Worker>;
  readonly queue: Token<EmbeddedQueue>;
} = {
  openServer: token("open-server"),
  registry: token("registry"),
  vault: token("vault"),
  pool: token("server-pool"),
  events: token("events"),
  telemetry: token("telemetry"),
  engine: token("engine"),
  worker: token("worker"),
  queue: token("queue"),
};

const UIDS = { from: 20_000, to: 59_999 };
const PLAN_LIFE_MS = 24 * 60 * 60 * 1000;

/** Wires an instance: the one place that knows which class stands behind which part. */
export function defaultParts(options: HostwrightOptions, { store, box }: OpenState): readonly Provider<unknown>[] {
  return [
    provide(PART.openServer, () => openServer),
    provide(PART.registry, () => new Registry(options.plugins, coreResourceTypes)),
    provide(PART.vault, () => new SecretVault(store.secrets, box)),
    provide(
      PART.pool,
      (parts) => new ServerPool(parts.get(PART.openServer), async (id) => privateKey(parts.get(PART.vault), id)),
    ),
    provide(PART.events, () => new Events(store.events)),
    provide(PART.telemetry, (parts) => new Telemetry(parts.get(PART.events))),
    provide(PART.engine, (parts) => ({
      registry: parts.get(PART.registry),
      store,
      box,
      vault: parts.get(PART.vault),
      pool: parts.get(PART.pool),
      tasks: new Map(coreTasks.map((type) => [type.type, type])),
      operations: new Map(coreOperations.map((operation) => [`${operation.name}@${operation.version}`, operation])),
      uids: options.uids ?? UIDS,
      planLifeMs: PLAN_LIFE_MS,
    })),
    provide(PART.worker, (parts) => new Worker(parts.get(PART.engine), parts.get(PART.events))),
    provide(PART.queue, () => new EmbeddedQueue(store.tasks)),
  ];
}

const openServer: OpenServer = async (record, key): Promise<Server> => {
  const { connect, name } = record;
  if (connect.type === "local") return new LocalServer(name);
  return new SshServer({ name, ...connect, privateKey: await key() });
};

async function privateKey(vault: SecretVault, serverId: string): Promise<Secret> {
  const id = `server/${serverId}/private-key`;
  return new Secret((await vault.load([id])).get(id) ?? "");
}
