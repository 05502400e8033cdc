import type { RecordStore } from "../contracts/store.ts";
import type { SiteRecord } from "../model/records.ts";
import { Access } from "./access.ts";
import { getRecord } from "./record-access.ts";

/** Records of sites. They come and go by tasks only: install, delete. */
export class Sites {
  readonly #records: RecordStore;
  readonly #access: Access;

  constructor(records: RecordStore, access: Access = new Access()) {
    this.#access = access;
    this.#records = records;
  }

  /** By id or main domain. @throws HW_NOT_FOUND */
  async get(idOrDomain: string): Promise<SiteRecord> {
    const record = (await getRecord(this.#records, "site", idOrDomain)).value as SiteRecord;
    await this.#access.requireVisible({ kind: "site", name: record.domain });
    return record;
  }

  /** Sites that are installed, or being installed or deleted. */
  async list(): Promise<readonly SiteRecord[]> {
    const records = (await this.#records.list("site")).map((row) => row.value as SiteRecord);
    const kept = records.filter((site) => site.status !== "draft");
    return this.#access.visible("site", kept, (site) => site.domain);
  }
}
