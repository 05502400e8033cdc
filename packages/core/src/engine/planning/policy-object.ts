import type { RecordStore } from "../../contracts/store.ts";
import type { PlainRequest, TaskSubject } from "../../contracts/task.ts";
import { stoodFor, subjectOf, type TaskTypes } from "./parse-request.ts";
import { breathe } from "../../model/breathe.ts";
import { plainName } from "../../model/domain.ts";
import type { PolicyObject } from "../../contracts/policy-object.ts";

type Kind = Exclude<PolicyObject["kind"], "task">;

interface Parts extends TaskTypes {
  readonly store: { readonly records: RecordStore };
}

const KINDS: readonly (readonly [name: keyof TaskSubject & (Kind | "alias"), kinds: readonly Kind[]])[] = [
  ["site", ["site"]],
  ["server", ["server"]],
  ["platform", ["platform"]],
  ["alias", ["server", "platform", "site"]],
];

/** The requests that somebody needs the right to who asks for one: those that it stands for, else itself. */
export async function rightsTo(parts: TaskTypes, request: PlainRequest): Promise<readonly PlainRequest[]> {
  const inner = stoodFor(parts, request);
  if (inner === null) return [request];
  const all: PlainRequest[] = [];
  for (const one of inner) {
    await breathe();
    for (const right of await rightsTo(parts, one)) all.push(right);
  }
  return all;
}

/**
 * What a request is about, by the one name that its record has: a rule on a domain must not be passed by writing the
 * site's id or alias instead. Of one that no loaded type takes only its type is known, of what is gone nothing; of one that
 * stands for several, its type.
 */
export async function objectOf(parts: Parts, request: unknown): Promise<PolicyObject> {
  const asked = (request ?? {}) as PlainRequest;
  const [first, ...others] = stoodFor(parts, asked) ?? [];
  if (first !== undefined && others.length === 0) return objectOf(parts, first);
  return ofSubject(parts, asked, subjectOf(parts, asked));
}

/**
 * All that a request is about, which stands for itself: also the further domains that an install takes, each of which may be
 * somebody else's.
 */
export async function objectsOf(parts: Parts, request: PlainRequest): Promise<readonly PolicyObject[]> {
  const subject = subjectOf(parts, request);
  const own = await ofSubject(parts, request, subject);
  const others = await Promise.all(
    (subject.aliases ?? []).map(async (name) => named(parts.store.records, ["site"], name)),
  );
  return [...new Map([own, ...others].map((object) => [`${object.kind} ${object.name}`, object])).values()];
}

/** A server, a platform or a site, by whatever name. */
export async function objectNamed({ store }: Parts, alias: string): Promise<PolicyObject> {
  return named(store.records, ["server", "platform", "site"], alias);
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
