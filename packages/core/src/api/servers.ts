import type { RecordStore } from "../contracts/store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { ServerPool } from "../engine/sessions/server-pool.ts";
import type { Registry } from "../engine/plugins/registry.ts";
import { newId } from "../model/ids.ts";
import { loginName } from "../model/login-name.ts";
import { parseInput } from "../model/parse.ts";
import {
  isMachine,
  membersOf,
  ServerSchema,
  type ClusterMember,
  type ServerInput,
  type ConnectInput,
  type ConnectRecord,
  type PlatformRecord,
  type ServerRecord,
  type ServiceRecord,
  type SiteRecord,
} from "../model/records.ts";
import { readPrivateKey } from "../servers/private-key.ts";
import type { SecretVault } from "../store/secrets.ts";
import { Access } from "./access.ts";
import {
  getRecord,
  KEPT,
  listRecords,
  namedRecord,
  requireManager,
  untilUnraced,
  type ListOptions,
} from "./record-access.ts";
import type { Removed, Removing } from "./removing.ts";
import { refuseSamePlace } from "./same-place.ts";

/** Records of servers. Writing a record touches no server (decisions.md D38). */
export class Servers {
  readonly #records: RecordStore;
  readonly #access: Access;
  readonly #registry: Registry;
  readonly #vault: SecretVault;
  readonly #pool: ServerPool;
  readonly #removing: Removing;

  constructor(
    records: RecordStore,
    registry: Registry,
    vault: SecretVault,
    pool: ServerPool,
    removing: Removing,
    access: Access = new Access(),
  ) {
    this.#removing = removing;
    this.#access = access;
    this.#records = records;
    this.#registry = registry;
    this.#vault = vault;
    this.#pool = pool;
  }

  /**
   * Creates the server (then `connect` is needed) or changes the fields given; idempotent. `services` replaces the
   * whole list; default for a new server: none, and no two of one kind and type listen at one place. `addresses` default to the host of its connection; a cluster has none, and no
   * services: those of its members count. What joins a cluster is set up by the next `verify` of the cluster; what leaves it is
   * taken out of service by a `verify` of what left, which names what it leaves there. A private key is
   * opened with its passphrase, if it has one, and sealed in the secret store; the passphrase is not kept. @throws HW_INPUT_INVALID, HW_SERVICE_UNKNOWN, HW_RECORD_MANAGED, HW_RECORD_IN_USE (a web
   * server that serves sites: `switchHttp` first), HW_FORBIDDEN, HW_ROLE_SUBMIT
   */
  async put(input: ServerInput): Promise<ServerRecord> {
    return untilUnraced(async () => this.#put(input));
  }

  async #put(input: ServerInput): Promise<ServerRecord> {
    const given = parseInput(ServerSchema, input, "server");
    await this.#access.require("server:put", { kind: "server", name: given.name });
    // Whoever may say where workers go may send them anywhere: that is not a panel's to say.
    if (given.connect !== undefined) this.#vault.requireKey("Recording how a server is reached");
    const stored = await namedRecord(this.#records, "server", given.name);
    const known = stored?.value as ServerRecord | undefined;
    requireManager(known, given.managedBy, given.name);
    if (known === undefined && given.connect === undefined) {
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `server ${given.name}: connect: needed for a new server. Nothing was changed.`,
      );
    }
    const services = given.services === undefined ? (known?.services ?? []) : this.#services(given);
    if (known !== undefined) await this.#refuseUnserved(known, services);
    const id = known?.id ?? newId("v");
    const login = await loginOf(given);
    const connect = given.connect === undefined ? known?.connect : await this.#connect(given.connect, id);
    const members = connect?.type === "cluster" ? connect.members.map(({ server }) => server) : [];
    const record: ServerRecord = {
      id,
      name: given.name,
      connect: connect ?? { type: "local" },
      addresses: given.addresses ?? known?.addresses ?? addressesOf(connect),
      services,
      managedBy: given.managedBy ?? known?.managedBy ?? null,
    };
    if (given.services !== undefined && isMachine(record)) refuseSamePlace(this.#registry, record);
    this.#refuseUnlike(known, record);
    const loginId = loginName(record.id, record.connect) ?? "";
    const newLogin = login === null || (await this.#isKept(loginId, login)) ? null : login;
    const version = stored?.version ?? 0;
    if (JSON.stringify(record) !== JSON.stringify(known)) {
      const secrets = newLogin === null ? [] : [this.#vault.seal(loginId, newLogin)];
      const change = { kind: "server", id, name: record.name, value: record } as const;
      const needs = members.map((member) => ({ kind: "server", id: member }) as const);
      await this.#records.put(change, { expect: version, claims: [], secrets, needs });
    } else if (newLogin !== null) {
      await this.#vault.put(loginId, newLogin, { kind: "server", id, version });
    }
    if (newLogin !== null) this.#pool.forget(id);
    return record;
  }

  async #isKept(id: string, value: string): Promise<boolean> {
    const kept = await this.#vault.load([id]).catch(() => null);
    return kept?.get(id) === value;
  }

  /** Members by their ids, each a machine once. @throws HW_NOT_FOUND, HW_INPUT_INVALID */
  async #connect(connect: ConnectInput, id: string): Promise<ConnectRecord> {
    if (connect.type !== "cluster") return connectRecord(connect);
    const members = new Map<string, ClusterMember>();
    for (const idOrName of connect.members) {
      const member = (await getRecord(this.#records, "server", idOrName)).value as ServerRecord;
      await this.#access.requireVisible({ kind: "server", name: member.name });
      await this.#access.require("server:put", { kind: "server", name: member.name });
      if (!isMachine(member) || member.id === id || members.has(member.id)) {
        const is = members.has(member.id) ? "named twice" : "no machine";
        throw new HostwrightError(
          "HW_INPUT_INVALID",
          `members of a cluster: ${member.name} is ${is}. Nothing was changed.`,
          { remedy: "Name machines, each once." },
        );
      }
      members.set(member.id, { server: member.id });
    }
    await this.#refuseShared(id, new Set(members.keys()));
    await this.#refuseUnfit(id, [...members.keys()]);
    return { type: "cluster", members: [...members.values()] };
  }

  /** Of two clusters with one machine neither could change what serves there without the other. */
  async #refuseShared(id: string, members: ReadonlySet<string>): Promise<void> {
    for (const { value } of await this.#records.list("server")) {
      const other = value as ServerRecord;
      const shared = other.id === id ? undefined : membersOf(other)?.find((member) => members.has(member));
      if (shared === undefined) continue;
      const { name } = (await getRecord(this.#records, "server", shared)).value as ServerRecord;
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `members of a cluster: ${name} is a member of ${other.name} already. Nothing was changed.`,
        { remedy: `Put several platforms on ${other.name}, or take ${name} out of it first.` },
      );
    }
  }

  /** The sites of a cluster are served by one name on each member. @throws HW_INPUT_INVALID */
  async #refuseUnfit(id: string, members: readonly string[]): Promise<void> {
    const platforms = (await this.#records.list("platform")).map((row) => row.value as PlatformRecord);
    const here = platforms.filter(({ server }) => server === id).map((platform) => platform.id);
    if (here.length === 0) return;
    const names = await this.#records.different("site", "http", { by: "platform", ids: here, status: KEPT });
    for (const member of members) {
      const { name, services } = (await getRecord(this.#records, "server", member)).value as ServerRecord;
      const own = platforms.filter(({ server }) => server === member).map((platform) => platform.id);
      const serving = await this.#records.different("site", "http", { by: "platform", ids: own, status: KEPT });
      const other = serving.find((http) => names.length > 0 && !names.includes(http));
      if (other !== undefined)
        throw new HostwrightError(
          "HW_INPUT_INVALID",
          `members of a cluster: ${name} serves sites of its own by its http service "${other}", and the cluster's are served by "${names[0]}". Nothing was changed.`,
          { server: name, remedy: `Switch ${name} first: switchHttp("${name}", "${names[0]}").` },
        );
      const lacking = names.find((http) => !services.some((one) => one.kind === "http" && one.name === http));
      if (lacking === undefined) continue;
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `members of a cluster: ${name} has no http service "${lacking}", by which the cluster's sites are served. Nothing was changed.`,
        { server: name, remedy: `Put one of that name on the record of ${name}.` },
      );
    }
  }

  /** What stands on a machine cannot be found at an API, nor does a web server run there. */
  #refuseUnlike(known: ServerRecord | undefined, { name, connect, services, addresses }: ServerRecord): void {
    if (known !== undefined && likeness(known) !== likeness({ connect }))
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `server ${name}: connect: a machine, an API and a cluster become none of the others. Nothing was changed.`,
        { remedy: "Put it under another name, and remove this one once nothing needs it." },
      );
    if (connect.type === "cluster" && services.length + addresses.length > 0)
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `server ${name}: a cluster has the services and addresses of its members. Nothing was changed.`,
        { remedy: "Put them on the records of its members." },
      );
    const runs = services.find(({ kind }) => ["http", "runtime"].includes(this.#registry.kind(kind)?.role ?? ""));
    if (connect.type !== "api" || runs === undefined) return;
    throw new HostwrightError(
      "HW_INPUT_INVALID",
      `server ${name}: its ${runs.kind} service needs a machine, and ${name} is an API. Nothing was changed.`,
      { remedy: "Put that service on the record of a machine." },
    );
  }

  /**
   * Forgets a server, with its login key, at once. The server is not touched: `left` is what stays there, and it stays this
   * installation's until another takes it over. `managedBy` as the record has it.
   * @throws HW_NOT_FOUND, HW_RECORD_IN_USE (a cluster, platforms, databases or caches of sites, or a task that works there; it names
   * them), HW_RECORD_MANAGED, HW_FORBIDDEN (`server:remove`), HW_ROLE_SUBMIT
   */
  async remove(idOrName: string, options: { readonly managedBy?: string } = {}): Promise<Removed> {
    return untilUnraced(async () => {
      const { version } = await getRecord(this.#records, "server", idOrName);
      const record = await this.get(idOrName);
      await this.#access.require("server:remove", { kind: "server", name: record.name });
      this.#vault.requireKey("Forgetting how a server is reached");
      requireManager(record, options.managedBy, record.name);
      return this.#removing.server(record, version);
    });
  }

  /** By id or name. @throws HW_NOT_FOUND */
  async get(idOrName: string): Promise<ServerRecord> {
    const record = (await getRecord(this.#records, "server", idOrName)).value as ServerRecord;
    await this.#access.requireVisible({ kind: "server", name: record.name });
    return record;
  }

  /** In the order of their names. @throws HW_INPUT_INVALID */
  async list(options: ListOptions = {}): Promise<readonly ServerRecord[]> {
    return listRecords(this.#records, "server", options, this.#access);
  }

  /** One web server for another under the feet of sites would be neither: both would be wanted on one port. */
  async #refuseUnserved(known: ServerRecord, services: readonly ServiceRecord[]): Promise<void> {
    const stays = (old: ServiceRecord): boolean =>
      services.some(({ kind, name, type }) => kind === old.kind && name === old.name && type === old.type);
    const lost = known.services.filter((service) => service.kind === "http" && !stays(service));
    if (lost.length === 0) return;
    const platforms = (await this.#records.list("platform")).map((row) => row.value as PlatformRecord);
    const servers = (await this.#records.list("server")).map((row) => row.value as ServerRecord);
    const clusters = servers.filter((server) => membersOf(server)?.includes(known.id));
    const served = new Set([known.id, ...clusters.map(({ id }) => id)]);
    const here = platforms.filter(({ server }) => served.has(server)).map(({ id }) => id);
    const sites = await this.#records.referring("site", { by: "platform", ids: here, status: KEPT });
    const site = sites
      .map(({ value }) => value as SiteRecord)
      .find(({ bindings }) => lost.some(({ name }) => name === bindings?.http?.service));
    const old = lost.find(({ name }) => name === site?.bindings?.http?.service);
    if (site === undefined || old === undefined) return;
    throw new HostwrightError(
      "HW_RECORD_IN_USE",
      `server ${known.name}: its http service "${old.name}" (${old.type}) serves ${site.domain}. Nothing was changed.`,
      {
        remedy: `Put the other one beside it, under a name of its own (service(options, "name")), and run switchHttp("${clusters[0]?.name ?? known.name}", "name"); then "${old.name}" may go.`,
      },
    );
  }

  #services(given: {
    readonly name: string;
    readonly services?:
      | readonly { kind: string; type: string; name?: string | undefined; options?: unknown }[]
      | undefined;
  }): ServiceRecord[] {
    const services = (given.services ?? []).map((service) => {
      const definition = this.#registry.service(service.kind, service.type);
      const what = `options of ${service.kind} ${service.type} on ${given.name}`;
      return {
        name: service.name ?? service.kind,
        kind: service.kind,
        type: service.type,
        options: this.#registry.options(definition, service.options, what),
        optionsVersion: definition.options.version,
      };
    });
    const twice = services.find(
      (service, index) => services.findIndex((other) => other.name === service.name) !== index,
    );
    if (twice === undefined) return services;
    throw new HostwrightError(
      "HW_INPUT_INVALID",
      `server ${given.name}: two services are named "${twice.name}". Nothing was changed.`,
      {
        remedy: `Give one of them a name of its own: service(options, "name").`,
      },
    );
  }
}

/** What opens the server, to be kept as a secret; null where there is nothing to keep, or nothing was given. */
async function loginOf({ name, connect }: ServerInput): Promise<string | null> {
  if (connect?.type === "api") return connect.credentials.reveal();
  return connect?.type === "ssh" ? readPrivateKey(`server ${name}`, connect.privateKey, connect.passphrase) : null;
}

function addressesOf(connect: ConnectRecord | undefined): readonly string[] {
  if (connect?.type === "api" || connect?.type === "cluster") return [];
  return [connect?.type === "ssh" ? connect.host : "127.0.0.1"];
}

function likeness(server: Pick<ServerRecord, "connect">): string {
  return isMachine(server) ? "machine" : server.connect.type;
}

function connectRecord(connect: Exclude<ConnectInput, { readonly type: "cluster" }>): ConnectRecord {
  if (connect.type !== "ssh") return { type: connect.type };
  return {
    type: "ssh",
    host: connect.host,
    port: connect.port ?? 22,
    user: connect.user ?? "root",
    hostKeys: [connect.hostKey].flat(),
  };
}
