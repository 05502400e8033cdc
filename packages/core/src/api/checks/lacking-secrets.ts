import type { EngineParts } from "../../engine/planning/task-engine.ts";
import { loginName } from "../../model/login-name.ts";
import type { ServerRecord, SiteRecord } from "../../model/records.ts";
import { passwordName } from "../../tasks/site-parts.ts";
import { webPasswordName } from "../../tasks/site-steps.ts";
import { type StateProblem } from "./check.ts";
import { everyRecord } from "../record-access.ts";

/** Secrets that records need are there; whether the key opens them is another look. */
export async function* lackingSecrets({ store }: EngineParts): AsyncGenerator<StateProblem> {
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
    for (const id of await lacking(secretsOf(site))) {
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

function secretsOf({ id, bindings, webRules }: SiteRecord): readonly string[] {
  const names = [
    // What stands on another server, or may, has an account there.
    ...Object.entries(bindings ?? {}).flatMap(([kind, at]) => (at?.server === undefined ? [] : [passwordName(kind)])),
    ...(webRules?.basicAuth?.users ?? []).map(webPasswordName),
  ];
  return names.map((name) => `site/${id}/${name}`);
}
