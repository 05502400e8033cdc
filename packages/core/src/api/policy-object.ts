import type { RecordStore } from "../contracts/store.ts";
import type { PlainRequest, TaskSubject } from "../contracts/task.ts";
import { parseRequest, type EngineParts } from "../engine/planning/task-engine.ts";
import { plainName } from "../model/domain.ts";
import { PREVIEW } from "../tasks/preview.ts";
import type { PolicyObject } from "./access.ts";

type Kind = Exclude<PolicyObject["kind"], "task">;

interface Parts {
  readonly tasks: EngineParts["tasks"];
  readonly store: { readonly records: RecordStore };
}

const KINDS: readonly (readonly [name: keyof TaskSubject & (Kind | "alias"), kinds: readonly Kind[]])[] = [
  ["site", ["site"]],
  ["server", ["server"]],
  ["platform", ["platform"]],
  ["alias", ["server", "platform", "site"]],
];

/** Whoever asks for the plan of a request needs the right to that request. */
export function askedFor(request: PlainRequest): PlainRequest {
  // A plugin's task may have an input of that name, too, which stands for nothing else.
  if (request.type !== PREVIEW) return request;
  const { request: inner } = request as { readonly request?: unknown };
  return typeof inner === "object" && inner !== null ? (inner as PlainRequest) : request;
}

/**
 * What a request is about, by the one name that its record has: a rule on a domain must not be passed by writing the
 * site's id or alias instead. Of one that no loaded type takes only its type is known, of what is gone nothing.
 */
export async function objectOf(parts: Parts, request: unknown): Promise<PolicyObject> {
  const asked = askedFor((request ?? {}) as PlainRequest);
  return ofSubject(parts, asked, subjectOf(parts, asked));
}

/** All that a request is about: also the further domains that an install takes, each of which may be somebody else's. */
export async function objectsOf(parts: Parts, request: PlainRequest): Promise<readonly PolicyObject[]> {
  const asked = askedFor(request);
  const subject = subjectOf(parts, asked);
  const own = await ofSubject(parts, asked, subject);
  const others = await Promise.all(
    (subject.aliases ?? []).map(async (name) => named(parts.store.records, ["site"], name)),
  );
  return [...new Map([own, ...others].map((object) => [`${object.kind} ${object.name}`, object])).values()];
}

/** A server, a platform or a site, by whatever name. */
export async function objectNamed({ store }: Parts, alias: string): Promise<PolicyObject> {
  return named(store.records, ["server", "platform", "site"], alias);
}

/** What a stored request that no loaded type takes is about, too, as far as its names say so. */
export function subjectOf(parts: Pick<Parts, "tasks">, asked: PlainRequest): TaskSubject {
  try {
    const { type, input } = parseRequest(parts, asked);
    return type.subject(input);
  } catch {
    const { domain, site = domain, server, platform, alias } = asked as unknown as Readonly<Record<string, unknown>>;
    const names = Object.entries({ site, server, platform, alias });
    return Object.fromEntries(names.filter(([, name]) => typeof name === "string"));
  }
}

async function ofSubject({ store }: Parts, asked: PlainRequest, subject: TaskSubject): Promise<PolicyObject> {
  for (const [name, kinds] of KINDS) {
    const given = subject[name];
    if (given !== undefined) return named(store.records, kinds, given);
  }
  return { kind: "task", name: asked?.type ?? "" };
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
