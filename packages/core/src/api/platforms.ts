import type { RecordStore } from "../contracts/store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Registry } from "../engine/plugins/registry.ts";
import { readPlatform } from "../engine/plugins/stored-options.ts";
import { newId } from "../model/ids.ts";
import { parseInput } from "../model/parse.ts";
import { PlatformSchema, type PlatformInput, type PlatformRecord } from "../model/records.ts";
import { checkSource } from "../tasks/check-source.ts";
import { Access } from "./access.ts";
import {
  getRecord,
  listRecords,
  namedRecord,
  requireManager,
  untilUnraced,
  type ListOptions,
} from "./record-access.ts";
import type { Removed, Removing } from "./removing.ts";

/** Records of platforms. Writing a record touches no server: a task publishes the release. */
export class Platforms {
  readonly #records: RecordStore;
  readonly #access: Access;
  readonly #registry: Registry;
  readonly #seesSources: boolean;
  readonly #removing: Removing;

  constructor(
    records: RecordStore,
    registry: Registry,
    seesSources: boolean,
    removing: Removing,
    access: Access = new Access(),
  ) {
    this.#removing = removing;
    this.#access = access;
    this.#records = records;
    this.#registry = registry;
    this.#seesSources = seesSources;
  }

  /**
   * Creates the platform (then `server` and `type` are needed) or changes the fields given; idempotent. `root` defaults
   * to `/srv/platforms/<name>`. The source is looked at now (but for the role `submit`, whose process may not see it), and
   * again when the release is published. Once published, server, root and type are fixed and the source is not read again:
   * new code is a new platform (decisions.md D21). @throws HW_INPUT_INVALID, HW_PLATFORM_UNKNOWN, HW_PLATFORM_INVALID (the
   * source), HW_NOT_FOUND (the server), HW_RECORD_MANAGED, HW_RECORD_IN_USE, HW_FORBIDDEN; where stored options are kept: HW_PLUGIN_MISSING,
   * HW_OPTIONS_INCOMPATIBLE
   */
  async put(input: PlatformInput): Promise<PlatformRecord> {
    return untilUnraced(async () => this.#put(input));
  }

  async #put(input: PlatformInput): Promise<PlatformRecord> {
    const given = parseInput(PlatformSchema, input, "platform");
    await this.#access.require("platform:put", { kind: "platform", name: given.name });
    const stored = await namedRecord(this.#records, "platform", given.name);
    const known = stored?.value as PlatformRecord | undefined;
    requireManager(known, given.managedBy, given.name);
    const type = given.type ?? (known === undefined ? undefined : readPlatform(this.#registry, known));
    const serverName = given.server ?? known?.server;
    if (type === undefined || serverName === undefined) {
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `platform ${given.name}: a new platform needs server and type. Nothing was changed.`,
      );
    }
    const definition = this.#registry.platform(type.type);
    const server = await getRecord(this.#records, "server", serverName);
    const record: PlatformRecord = {
      id: known?.id ?? newId("r"),
      name: given.name,
      server: server.id,
      root: given.root ?? known?.root ?? `/srv/platforms/${given.name}`,
      type: definition.type,
      options: this.#registry.options(definition, type.options, `options of platform ${given.name}`),
      optionsVersion: definition.options.version,
      source: given.source ?? known?.source ?? null,
      release: known?.release ?? null,
      managedBy: given.managedBy ?? known?.managedBy ?? null,
    };
    if (JSON.stringify(record) === JSON.stringify(known)) return record;
    if (known?.release !== undefined && known.release !== null) refuseMove(known, record);
    else if (record.source !== null && this.#seesSources)
      await checkSource(record.name, record.source.path, definition);
    await this.#records.put(
      { kind: "platform", id: record.id, name: record.name, value: record },
      { expect: stored?.version ?? 0, claims: [], needs: [{ kind: "server", id: server.id }] },
    );
    return record;
  }

  /**
   * Forgets a platform that was never published, at once. `managedBy` as the record has it. @throws HW_NOT_FOUND,
   * HW_RECORD_IN_USE (published: run `deletePlatform`; sites, or a task that works on it; it names them),
   * HW_RECORD_MANAGED, HW_FORBIDDEN (`platform:remove`)
   */
  async remove(idOrName: string, options: { readonly managedBy?: string } = {}): Promise<Removed> {
    return untilUnraced(async () => {
      const { version } = await getRecord(this.#records, "platform", idOrName);
      const record = await this.get(idOrName);
      await this.#access.require("platform:remove", { kind: "platform", name: record.name });
      requireManager(record, options.managedBy, record.name);
      return this.#removing.platform(record, version);
    });
  }

  /** By id or name. @throws HW_NOT_FOUND */
  async get(idOrName: string): Promise<PlatformRecord> {
    const record = (await getRecord(this.#records, "platform", idOrName)).value as PlatformRecord;
    await this.#access.requireVisible({ kind: "platform", name: record.name });
    return record;
  }

  /** In the order of their names. @throws HW_INPUT_INVALID */
  async list(options: ListOptions = {}): Promise<readonly PlatformRecord[]> {
    return listRecords(this.#records, "platform", options, this.#access);
  }
}

function refuseMove(known: PlatformRecord, record: PlatformRecord): void {
  const fields = (["server", "root", "type"] as const).filter((field) => known[field] !== record[field]);
  if (fields.length === 0) return;
  throw new HostwrightError(
    "HW_RECORD_IN_USE",
    `platform ${known.name} is published: ${fields.join(", ")} cannot change. Nothing was changed.`,
    { remedy: "Make a platform of another name, and move the sites to it." },
  );
}
