import type { Planning } from "../../contracts/planning.ts";
import type { Publication } from "../../contracts/publication.ts";
import type { RecordStore, RegisterStore, StateStore } from "../../contracts/store.ts";
import type { ServerRecord } from "../../model/records.ts";
import type { SecretVault } from "../../store/secrets.ts";
import type { Registry } from "../plugins/registry.ts";
import type { Pending } from "../publishing/publisher.ts";
import type { Claim } from "../sessions/claim.ts";
import type { Session } from "../sessions/session.ts";
import type { LoadedInventory } from "./loaded-inventory.ts";
import type { FactsWanted, ServerFacts } from "./facts.ts";

/** What core's own tasks plan with. */
export interface PlanningContext extends Planning {
  readonly inventory: LoadedInventory;
  readonly registry: Registry;
  readonly session: Session;
  readonly records: RecordStore;
  readonly register: Pick<RegisterStore, "orphans" | "about">;
  /** What planning writes goes by these two: of a task through its lease. */
  readonly store: StateStore;
  readonly vault: SecretVault;
  readonly uids: { readonly from: number; readonly to: number };
  /** Facts of a server, read once per planning. @throws HW_SERVER_CLAIMED when another installation has it */
  facts(server: ServerRecord, wanted?: FactsWanted): Promise<ServerFacts>;
  /** Who has a server, read with its facts; null: nobody yet. */
  claimOf(server: ServerRecord): Promise<Claim | null>;
  /** This installation, as it claims servers. */
  installation(): Promise<Omit<Claim, "since">>;
  /** What waits in the entries of one of its services, read once per planning. */
  pending(server: ServerRecord, publication: Publication): Promise<Pending>;
}
