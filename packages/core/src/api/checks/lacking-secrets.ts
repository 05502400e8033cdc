import type { BoundService } from "../../contracts/planning.ts";
import type { BackingRole } from "../../contracts/roles/backing.ts";
import { LoadedInventory } from "../../engine/planning/loaded-inventory.ts";
import type { EngineParts } from "../../engine/planning/task-engine.ts";
import { loginName } from "../../model/login-name.ts";
import type { ServerRecord, ServicePlace, SiteRecord } from "../../model/records.ts";
import { collectReferences } from "../../model/references.ts";
import { bindingRequest } from "../../tasks/site-parts.ts";
import { webPasswordName } from "../../tasks/site-steps.ts";
import { type StateProblem } from "./check.ts";
import { everyRecord } from "../record-access.ts";

/** Secrets that records need are there; whether the key opens them is another look. */
export async function* lackingSecrets({ store, registry }: EngineParts): AsyncGenerator<StateProblem> {
  const inventories = new Map<string, Promise<LoadedInventory>>();
  const inventoryOf = async (server: string): Promise<LoadedInventory> => {
    const known = inventories.get(server) ?? LoadedInventory.ofServers(store.records, registry, [server]);
    inventories.set(server, known);
    return known;
  };
  const lacking = async (ids: readonly string[]): Promise<readonly string[]> => {
    const known = await store.secrets.get(ids);
    return ids.filter((id) => !known.has(id));
  };
  for await (const { id, name, connect } of everyRecord<ServerRecord>(store.records, "server")) {
    const login = loginName(id, connect);
    if (login === null || (await lacking([login])).length === 0) continue;
    const remedy = `Put it again: hw.servers.put({ name: "${name}", connect }).`;
    yield {
      code: "HW_SECRET_UNREADABLE",
      where: `server ${name}`,
      what: `its ${connect.type === "api" ? "credentials are" : "login key is"} not there`,
      remedy,
    };
  }
  for await (const site of everyRecord<SiteRecord>(store.records, "site")) {
    if (site.status !== "installed") continue;
    for (const id of await lacking(await secretsOf(site, inventoryOf))) {
      const remedy =
        "Put store.db back from a backup that has it; a web user's password may be set anew (setPassword).";
      yield {
        code: "HW_SECRET_UNREADABLE",
        where: `site ${site.domain}`,
        what: `its secret ${id} is not there`,
        remedy,
      };
    }
  }
}

type InventoryOf = (server: string) => Promise<LoadedInventory>;

async function secretsOf(site: SiteRecord, inventoryOf: InventoryOf): Promise<readonly string[]> {
  const bound = Object.entries(site.bindings ?? {}).map(async ([kind, at]) => passwordOf(site, kind, at, inventoryOf));
  const users = site.webRules?.basicAuth?.users ?? [];
  return [...(await Promise.all(bound)).flat(), ...users.map((user) => `site/${site.id}/${webPasswordName(user)}`)];
}

/**
 * The password of a site's account with a service, if it has one: a service without passwords declares nothing that holds
 * it. Only the plugin knows, and may need facts for it, which are not read here: one that cannot say so is asked for none.
 */
async function passwordOf(
  site: SiteRecord,
  kind: string,
  at: ServicePlace | undefined,
  inventoryOf: InventoryOf,
): Promise<readonly string[]> {
  if (at?.server === undefined) return [];
  const request = bindingRequest(site, kind, ["local"]);
  try {
    const inventory = await inventoryOf(at.server);
    const server = inventory.server(at.server);
    const { record, role } = inventory.service(server, kind, at.service) as BoundService<BackingRole>;
    const held = collectReferences(role.site(request, inventory.serverView(server, record, {})));
    return held.some(({ id }) => id === request.password.id) ? [request.password.id] : [];
  } catch {
    return [];
  }
}
