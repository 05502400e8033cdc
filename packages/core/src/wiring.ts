import type { Notifier } from "./contracts/notifier.ts";
import type { Container, Provider } from "./contracts/part.ts";
import type { Plugin } from "./contracts/plugin.ts";
import type { StateStore } from "./contracts/store.ts";
import { HostwrightError } from "./errors/hostwright-error.ts";
import type { Server } from "./model/server.ts";
import { InstanceContainer } from "./di/container.ts";
import { provide } from "./di/provider.ts";
import { Events } from "./engine/events.ts";
import { TaskEnds } from "./engine/task-ends.ts";
import { homeOf } from "./engine/sessions/claim.ts";
import { takeServer } from "./engine/sessions/take-server.ts";
import { loadPlugins, refusePlugin } from "./engine/plugins/load-plugins.ts";
import { Registry } from "./engine/plugins/registry.ts";
import { ServerPool, type OpenServer } from "./engine/sessions/server-pool.ts";
import type { EngineParts } from "./engine/planning/task-engine.ts";
import { takeOver } from "./engine/publishing/take-over.ts";
import { Telemetry } from "./engine/telemetry.ts";
import { Upkeep } from "./engine/workers/upkeep.ts";
import { Worker } from "./engine/workers/worker.ts";
import type { HostwrightOptions } from "./options.ts";
import { loginName } from "./model/login-name.ts";
import type { ServerRecord } from "./model/records.ts";
import { RETENTION } from "./model/retention.ts";
import { Secret } from "./model/secret.ts";
import { SYSTEM_CLOCK } from "./model/time.ts";
import { Notifying } from "./notify/notifying.ts";
import { coreOperations } from "./operations/core-operations.ts";
import { PART } from "./parts.ts";
import { EmbeddedQueue } from "./queue/embedded-queue.ts";
import { coreResourceTypes } from "./resources/core-types.ts";
import { LocalServer } from "./servers/local-server.ts";
import { SshServer } from "./servers/ssh-server.ts";
import type { SecretBox } from "./store/sealing.ts";
import { makeStoredPlan } from "./engine/workers/stored-plans.ts";
import { SecretVault } from "./store/secrets.ts";
import { openSqliteKernel } from "./store/sqlite/sqlite-store.ts";
import { coreTasks } from "./tasks/core-tasks.ts";

const UIDS = { from: 20_000, to: 59_999 };
const PLAN_LIFE_MS = 24 * 60 * 60 * 1000;

/**
 * Wires an instance: the one place that knows which class stands behind which part. It is imported when the first instance
 * is opened, so that who only imports core loads neither tsyringe nor OpenTelemetry.
 */
export function wire(options: HostwrightOptions): InstanceContainer {
  const plugins = loadPlugins(options.plugins);
  return new InstanceContainer(
    [...defaultParts(options, plugins), ...servicesOf(plugins)],
    options.provide ?? [],
    plugins,
  );
}

function servicesOf(plugins: readonly Plugin[]): readonly Provider<unknown>[] {
  const services = new Map(
    plugins.flatMap(({ services = [] }) => services).map((one) => [PART.service(one.kind, one.type).name, one]),
  );
  return [...services.values()].map((one) => provide(PART.service(one.kind, one.type), () => one));
}

/** With what stands in the place of its own services, to be judged as these are. */
function withParts(plugin: Plugin, parts: Container): Plugin {
  const { services } = plugin;
  if (services === undefined) return plugin;
  const own = services.map(({ kind, type }) => {
    const service = parts.get(PART.service(kind, type));
    const given = service as Partial<typeof service> | null | undefined;
    if (given?.kind === kind && given.type === type) return service;
    const what = `what is provided as the service ${kind} ${type} is ${given?.kind} ${given?.type}`;
    throw refusePlugin(what, "Provide it by its own kind and type.", plugin.name);
  });
  return { ...plugin, services: own };
}

function defaultParts(options: HostwrightOptions, plugins: readonly Plugin[]): readonly Provider<unknown>[] {
  return [
    provide(PART.openKernel, () => openSqliteKernel),
    provide(PART.queue, () => new EmbeddedQueue()),
    provide(PART.clock, () => SYSTEM_CLOCK),
    provide(PART.openServer, (parts) => openerFor(parts.get(PART.state).store)),
    provide(PART.registry, (parts) => {
      const operations = [...coreOperations, takeServer, takeOver(() => registry)];
      const registry: Registry = new Registry(
        loadPlugins(plugins.map((plugin) => withParts(plugin, parts))),
        coreResourceTypes,
        operations,
        coreTasks,
      );
      return registry;
    }),
    provide(PART.vault, (parts) => {
      const { store, box } = parts.get(PART.state);
      return new SecretVault(store.secrets, box);
    }),
    provide(PART.pool, (parts) => {
      const { box } = parts.get(PART.state);
      return new ServerPool(box.hasKey ? parts.get(PART.openServer) : openNone(box), async (record) =>
        loginSecret(parts.get(PART.vault), record),
      );
    }),
    provide(PART.events, (parts) => new Events(parts.get(PART.state).store.events, parts.get(PART.clock))),
    provide(PART.ends, (parts) => new TaskEnds(parts.get(PART.state).store.tasks, parts.get(PART.events))),
    provide(PART.telemetry, (parts) => new Telemetry(parts.get(PART.events))),
    provide(PART.engine, (parts): EngineParts => ({
      registry: parts.get(PART.registry),
      ...parts.get(PART.state),
      clock: parts.get(PART.clock),
      vault: parts.get(PART.vault),
      pool: parts.get(PART.pool),
      tasks: parts.get(PART.registry).tasks(),
      operations: parts.get(PART.registry).operations(),
      uids: options.uids ?? UIDS,
      home: homeOf(options.stateDir),
      retention: { ...RETENTION, ...options.retention },
      planLifeMs: PLAN_LIFE_MS,
      makePlan: makeStoredPlan,
    })),
    provide(PART.worker, (parts) => new Worker(parts.get(PART.engine), parts.get(PART.events))),
    provide(PART.upkeep, (parts) => new Upkeep(parts.get(PART.worker))),
    provide(PART.notifying, (parts) => {
      const { store } = parts.get(PART.state);
      return new Notifying(store, parts.get(PART.events), notifiersOf(options), parts.get(PART.clock));
    }),
  ];
}

function openerFor({ reach }: StateStore): OpenServer {
  return async ({ connect, name }, key): Promise<Server> => {
    if (connect.type === "api" || connect.type === "cluster")
      throw new HostwrightError("HW_INTERNAL", `${name} was to be opened as a machine.`);
    if (connect.type !== "local") return new SshServer({ name, ...connect, privateKey: key });
    if (reach === "machine") return new LocalServer(name);
    const what = `${name} is "this machine", and several machines share this store: none of them is meant. Nothing was done there.`;
    throw new HostwrightError("HW_INPUT_INVALID", what, {
      server: name,
      remedy: "Record how it is reached with `ssh(...)`, from every machine that works.",
    });
  };
}

/** Without a key there are no credentials either, whatever way the application has to open a server. */
function openNone(box: SecretBox): OpenServer {
  return async ({ name }) => {
    box.requireKey(`Connecting to ${name}`);
    throw new HostwrightError("HW_INTERNAL", `${name} was to be opened without credentials.`);
  };
}

function notifiersOf({ notify = [], role }: HostwrightOptions): readonly Notifier[] {
  if (role === undefined || notify.length === 0) return notify;
  throw new HostwrightError("HW_INPUT_INVALID", `notify: an instance of role "${role}" sends none.`, {
    remedy: "Give the notifiers to the instances that work.",
    data: { field: "notify" },
  });
}

async function loginSecret(vault: SecretVault, { id: serverId, connect }: ServerRecord): Promise<Secret> {
  const id = loginName(serverId, connect) ?? "";
  return new Secret((await vault.load([id])).get(id) ?? "");
}
