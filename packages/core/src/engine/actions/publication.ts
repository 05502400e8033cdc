import type { Target } from "../../contracts/resource.ts";
import type { Publication } from "../../contracts/publication.ts";
import type { RegisteredResource, RegisterStore } from "../../contracts/store.ts";
import type { ServerRecord } from "../../model/records.ts";
import type { Events } from "../events.ts";
import type { PlanData, PlannedChange } from "../planning/plan.ts";
import { entryAddress, entryName, isEntryOf } from "../../plugin-kit/entries.ts";
import { publish } from "../publishing/publisher.ts";
import type { Publishing } from "./runner-parts.ts";

export interface PublicationParts {
  readonly events: Events;
  readonly register: RegisterStore;
  readonly plan: PlanData;
  readonly server: ServerRecord;
  /** Name of the service that publishes. */
  readonly service: string;
  readonly publication: Publication;
  readonly target: Target;
}

/** Publishes as one task's action asks for; what of others was refused is told, by name and owner. */
export async function publishFor(parts: PublicationParts, { changes, force }: Publishing): Promise<void> {
  const { events, register, plan, server, service, publication, target } = parts;
  const alone = plan.leases.filter((lease) => lease.mode === "exclusive").map((lease) => lease.scope);
  const own = ownEntries(publication, changes, await register.about(server.id, alone, []), alone);
  const isOther = ({ type, key }: PlannedChange): boolean => type === "file" && !isEntryOf(publication, { type, key });
  const options = { force: force ?? changes.some(isOther), own };
  const { generation, reloaded, changed, quarantined } = await publish(target, publication, options);
  const common = { server: server.name, service, generation };
  if (changed) await events.emit(plan.task, "publication:published", { ...common, reloaded });
  if (quarantined.length === 0) return;
  const addresses = quarantined.map(({ name }) => entryAddress(publication, name));
  const owners = new Map((await register.about(server.id, [], addresses)).map((row) => [row.key, row.owner]));
  const entries = quarantined.map((entry, index) => ({
    ...entry,
    owner: owners.get(addresses[index]?.key ?? "") ?? null,
  }));
  await events.emit(plan.task, "publication:quarantined", { ...common, entries });
}

/**
 * A task answers for the entries that it changed, and for those of what it holds alone, which may have waited before it:
 * another's broken one is quarantined and does not fail it.
 */
export function ownEntries(
  publication: Publication,
  changes: readonly PlannedChange[],
  registered: readonly RegisteredResource[],
  alone: readonly string[],
): readonly string[] {
  const waiting = registered.filter(({ owner }) => alone.includes(owner));
  const entries = [...changes, ...waiting].filter((address) => isEntryOf(publication, address));
  return [...new Set(entries.map((address) => entryName(publication, address)))];
}
