import {
  createHostwright,
  disable,
  install,
  type Actor,
  type Hostwright,
  type Plugin,
  type Policy,
} from "@hostwright/core";

const customers: Readonly<Record<string, readonly string[]>> = { anna: ["anna.example.com"], ben: ["ben.example.com"] };

/** A customer sees and works their own sites only. Verbs are task types, `server:put`, `site:read` and the like. */
const policy: Policy = {
  allow: (actor, verb, object) =>
    object.kind === "site" && verb !== "site:delete" && (customers[actor.id] ?? []).includes(object.name),
};

export async function open(stateDir: string, plugins: readonly Plugin[]): Promise<Hostwright> {
  return createHostwright({ stateDir, plugins, policy });
}

export async function forCustomer(hw: Hostwright, anna: Actor): Promise<void> {
  const own = hw.as(anna);
  await own.submit(install("anna.example.com", { platform: "wp-6.8" }));
  console.log((await own.sites.list()).map((site) => site.domain));
  await own.submit(disable("ben.example.com")); // throws HW_FORBIDDEN
}
