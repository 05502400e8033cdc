import type { RecordStore } from "../contracts/store.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { WebUser } from "../model/own-rules.ts";
import { parseInput } from "../model/parse.ts";
import type { SiteRecord } from "../model/records.ts";
import type { Secret } from "../model/secret.ts";
import { hashPassword } from "../store/password-hash.ts";
import type { SecretVault } from "../store/secrets.ts";
import { Access } from "./access.ts";
import { getRecord, listRecords, untilUnraced, type ListOptions } from "./record-access.ts";
import type { Removed, Removing } from "./removing.ts";

/** Records of sites. They come and go by tasks: install, delete. */
export class Sites {
  readonly #records: RecordStore;
  readonly #access: Access;
  readonly #vault: SecretVault;
  readonly #removing: Removing;

  constructor(records: RecordStore, vault: SecretVault, removing: Removing, access: Access = new Access()) {
    this.#removing = removing;
    this.#access = access;
    this.#records = records;
    this.#vault = vault;
  }

  /** By id, main domain or alias. @throws HW_NOT_FOUND */
  async get(idOrDomain: string): Promise<SiteRecord> {
    const record = (await getRecord(this.#records, "site", idOrDomain)).value as SiteRecord;
    await this.#access.requireVisible({ kind: "site", name: record.domain });
    return record;
  }

  /** Sites that are installed, or being installed or deleted, in the order of their domains. @throws HW_INPUT_INVALID */
  async list(options: ListOptions = {}): Promise<readonly SiteRecord[]> {
    const isKept = ({ status }: SiteRecord): boolean => status !== "draft";
    return listRecords(this.#records, "site", options, this.#access, isKept);
  }

  /**
   * Forgets what never became a site and has nothing on any server, at once: what an abandoned task or a plan that nobody
   * begins has reserved. @throws HW_NOT_FOUND, HW_RECORD_IN_USE (installed, something stands on a server: run `deleteSite`;
   * a task is to make it), HW_FORBIDDEN (`site:remove`)
   */
  async remove(idOrDomain: string): Promise<Removed> {
    return untilUnraced(async () => {
      const { name, version } = await getRecord(this.#records, "site", idOrDomain);
      const site = await this.get(idOrDomain);
      await this.#access.require("site:remove", { kind: "site", name: site.domain });
      return this.#removing.site(site, name, version);
    });
  }

  /**
   * Sets the password of a user of the site's `basicAuth`: 8 to 128 bytes, hashed here and kept as a secret. Touches no
   * server: `configure(site)` writes it. @throws HW_NOT_FOUND, HW_INPUT_INVALID, HW_FORBIDDEN, HW_ROLE_SUBMIT
   */
  async setPassword(idOrDomain: string, user: string, password: Secret): Promise<void> {
    const site = await this.get(idOrDomain);
    await this.#access.require("site:configure", { kind: "site", name: site.domain });
    const name = parseInput(WebUser, user, "user");
    const value = password.reveal();
    if (Buffer.byteLength(value) < 8 || Buffer.byteLength(value) > 128 || /\p{Cc}/u.test(value)) {
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `The password of ${name} needs 8 to 128 bytes without control characters. Nothing was changed.`,
      );
    }
    this.#vault.requireKey("Setting a password");
    const hash = hashPassword(value);
    await untilUnraced(async () => {
      const { id, version } = await getRecord(this.#records, "site", site.id);
      await this.#vault.put(`site/${id}/web-password/${name}`, hash, { kind: "site", id, version });
    });
  }
}
