import type { Target } from "../../contracts/resource.ts";
import type { HttpRole } from "../../contracts/roles/http.ts";
import type { RegisteredResource, RegisterStore } from "../../contracts/store.ts";
import type { ServerRecord } from "../../model/records.ts";
import type { Events } from "../events.ts";
import type { PlanData, PlannedChange } from "../planning/plan.ts";
import { publish, type PublishOptions } from "../publishing/publisher.ts";

export interface PublicationParts {
  readonly events: Events;
  readonly register: RegisterStore;
  readonly plan: PlanData;
  readonly server: ServerRecord;
  /** Name of the http service. */
  readonly service: string;
  readonly role: HttpRole;
  readonly target: Target;
}

/** Publishes as one task's action asks for; what of others was refused is told, by name and owner. */
export async function publishFor(parts: PublicationParts, changes: readonly PlannedChange[]): Promise<void> {
  const { events, register, plan, server, service, role, target } = parts;
  const alone = plan.leases.filter((lease) => lease.mode === "exclusive").map((lease) => lease.scope);
  const options = publishOptions(role, changes, await register.about(server.id, alone, []), alone);
  const { generation, reloaded, changed, quarantined } = await publish(target, role, options);
  const common = { server: server.name, service, generation };
  if (changed) await events.emit(plan.task, "publication:published", { ...common, reloaded });
  if (quarantined.length === 0) return;
  const addresses = quarantined.map(({ name }) => ({ type: "file", key: `${role.publication.root}/entries/${name}` }));
  const owners = new Map((await register.about(server.id, [], addresses)).map((row) => [row.key, row.owner]));
  const entries = quarantined.map((entry, index) => ({
    ...entry,
    owner: owners.get(addresses[index]?.key ?? "") ?? null,
  }));
  await events.emit(plan.task, "publication:quarantined", { ...common, entries });
}

/**
 * A task answers for the entries that it changed, and for those of what it holds alone, which may have waited before it:
 * another's broken one is quarantined and does not fail it. Files besides the entries need a reload of their own.
 */
export function publishOptions(
  { publication }: HttpRole,
  changes: readonly PlannedChange[],
  registered: readonly RegisteredResource[],
  alone: readonly string[],
): PublishOptions {
  const entries = `${publication.root}/entries/`;
  const files = changes.filter((change) => change.type === "file").map((change) => change.key);
  const own = files.filter((path) => path.startsWith(entries));
  const waiting = registered.filter(
    ({ type, key, owner }) => type === "file" && key.startsWith(entries) && alone.includes(owner),
  );
  const names = [...own, ...waiting.map(({ key }) => key)].map((path) => path.slice(entries.length));
  return { force: changes.length > 0 && own.length < files.length, own: [...new Set(names)] };
}
