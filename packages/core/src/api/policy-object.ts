import type { RecordStore } from "../contracts/store.ts";
import { parseDomain, plainName } from "../model/domain.ts";
import type { TaskRequest } from "../engine/planning/task-engine.ts";
import type { PolicyObject } from "./access.ts";

type Kind = Exclude<PolicyObject["kind"], "task">;

const FIELDS: readonly (readonly [field: string, kinds: readonly Kind[]])[] = [
  ["domain", ["site"]],
  ["site", ["site"]],
  ["server", ["server"]],
  ["platform", ["platform"]],
  ["alias", ["server", "platform", "site"]],
];

/** Whoever asks for the plan of a request needs the right to that request. */
export function subjectOf(request: object): TaskRequest & Readonly<Record<string, unknown>> {
  const { request: inner } = request as { readonly request?: unknown };
  return (typeof inner === "object" && inner !== null ? inner : request) as TaskRequest & Record<string, unknown>;
}

/**
 * What a request is about, by the one name that its record has: a rule on a domain must not be passed by writing the
 * site's id or alias instead.
 */
export async function objectOf(records: RecordStore, asked: Readonly<Record<string, unknown>>): Promise<PolicyObject> {
  const request = subjectOf(asked);
  const type = typeof request.type === "string" ? request.type : "";
  const kindsByType = type.startsWith("site:") ? FIELDS.filter(([, kinds]) => kinds.includes("site")) : FIELDS;
  for (const [field, kinds] of kindsByType) {
    const given = request[field];
    if (typeof given !== "string") continue;
    return named(records, kinds, given);
  }
  return { kind: "task", name: type };
}

/**
 * All that a request is about: also the further domains that an install takes, each of which may be somebody else's.
 * @throws HW_DOMAIN_INVALID, HW_DOMAIN_RESERVED: of a name that no record can have, no rule can say anything
 */
export async function objectsOf(
  records: RecordStore,
  asked: Readonly<Record<string, unknown>>,
): Promise<readonly PolicyObject[]> {
  const { domain, aliases } = subjectOf(asked);
  const further = Array.isArray(aliases) ? aliases.map(String) : [];
  for (const name of [...(typeof domain === "string" ? [domain] : []), ...further]) parseDomain(name);
  const own = await objectOf(records, asked);
  const others = await Promise.all(further.map(async (name) => named(records, ["site"], name)));
  return [...new Map([own, ...others].map((object) => [`${object.kind} ${object.name}`, object])).values()];
}

/** The record's one name; of what is yet to be made, the name that it will have. */
async function named(records: RecordStore, kinds: readonly Kind[], given: string): Promise<PolicyObject> {
  const name = plainName(given);
  for (const kind of kinds) {
    const known = await records.get(kind, name);
    if (known !== null) return { kind, name: known.name };
  }
  return { kind: kinds.at(-1) ?? "site", name };
}
