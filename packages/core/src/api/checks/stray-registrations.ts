import { setImmediate as nextTurn } from "node:timers/promises";
import type { EngineParts } from "../../engine/planning/task-engine.ts";
import { namesOf } from "../../model/names-of.ts";
import type { ServerRecord } from "../../model/records.ts";
import { RESTORE, type StateProblem } from "./check.ts";

/** What is registered stands on a server that there is, for an owner that there is, and is of a type that is known. */
export async function* strayRegistrations({ store, registry }: EngineParts): AsyncGenerator<StateProblem> {
  const { records, register, leases } = store;
  // What a task removes at this moment is its own trouble.
  const busy = new Set((await leases.list()).map(({ scope }) => scope));
  for (const id of await register.servers()) {
    await nextTurn();
    const rows = await register.onServer(id);
    const server = (await records.get("server", id))?.value as ServerRecord | undefined;
    const where = `register of ${server?.name ?? id}`;
    if (server === undefined) {
      const what = `it has ${rows.length} things on a server that is not there`;
      yield { code: "HW_NOT_FOUND", where, what, remedy: RESTORE };
      continue;
    }
    for (const { owner, hasRecord } of await register.owners(id)) {
      if (hasRecord || busy.has(owner)) continue;
      const own = rows.filter((row) => row.owner === owner).map(({ type, key }) => `${type} ${key}`);
      const what = `${owner} is not there, and has still ${namesOf(own)}`;
      const remedy = `Run verify("${server.name}"), which removes what is left of what was deleted.`;
      yield { code: "HW_NOT_FOUND", where, what, remedy };
    }
    for (const [type, own] of Map.groupBy(rows, (row) => row.type)) {
      if (registry.findResourceType(type) !== undefined) continue;
      const what = `it has ${own.length} things of the type "${type}", which no loaded plugin brings`;
      yield { code: "HW_PLUGIN_MISSING", where, what, remedy: "Load the plugin that brings it." };
    }
  }
}
