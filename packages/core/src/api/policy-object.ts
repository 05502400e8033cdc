import type { RecordKind, RecordStore } from "../contracts/store.ts";
import type { TaskRequest } from "../engine/planning/task-engine.ts";
import type { PolicyObject } from "./access.ts";

const FIELDS: readonly (readonly [field: string, kinds: readonly ("server" | "platform" | "site")[]])[] = [
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
    const name = given.replace(/^@/, "").toLowerCase().replace(/\.$/, "");
    for (const kind of kinds) {
      const known = await nameOf(records, kind, name);
      if (known !== null) return { kind, name: known };
    }
    return { kind: kinds.at(-1) ?? "site", name };
  }
  return { kind: "task", name: type };
}

async function nameOf(records: RecordStore, kind: RecordKind, name: string): Promise<string | null> {
  return (await records.get(kind, name))?.name ?? null;
}
