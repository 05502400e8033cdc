import type { RecordStore } from "../contracts/store.ts";
import type { SiteRecord } from "../model/records.ts";
import { getRecord } from "./record-access.ts";

/** Records of sites. They come and go by tasks only: install, delete. */
export class Sites {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** By id or main domain. @throws HW_NOT_FOUND */
  async get(idOrDomain: string): Promise<SiteRecord> {
    return (await getRecord(this.#records, "site", idOrDomain)).value as SiteRecord;
  }

  async list(): Promise<readonly SiteRecord[]> {
    const records = (await this.#records.list("site")).map((row) => row.value as SiteRecord);
    return records.filter((site) => site.status !== "draft");
  }
}
