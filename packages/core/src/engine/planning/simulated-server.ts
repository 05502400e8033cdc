import type { RegisteredResource } from "../../contracts/store.ts";
import type { EnsureStep, RunStep } from "../../contracts/steps.ts";
import type { AnyResourceType } from "../../contracts/resource.ts";
import type { PlannedChange } from "./plan.ts";
import type { Present } from "./read-present.ts";
import { addressKey } from "./resource-states.ts";
import { isSatisfied, stateHash, type Wanted } from "./wanted.ts";

/** Something that a step of the plan has seen to: it makes it, or it stands already. */
interface Seen {
  readonly item: Wanted;
  readonly step: EnsureStep;
  /** How many changes the plan had on the server by then. */
  readonly changes: number;
  /** False where it stood as wanted: then its state is the one that was read. */
  readonly made: boolean;
}

/** What a change begins with. */
export type Beginning = Pick<PlannedChange, "before" | "found" | "holder"> & { readonly shown: string | null };

/**
 * One server as it will stand once the steps that are planned so far are carried out: what was read of it, and what those
 * steps make of that. Each step is planned from there.
 */
export class SimulatedServer {
  readonly present: Present;
  /** Addresses that any step of the plan declares. */
  readonly declared: ReadonlySet<string>;
  readonly #seen = new Map<string, Seen>();
  /** With the owner for whom it is removed. */
  readonly #removed = new Map<string, string>();
  /** Whose state operations of the plan change, in a way that only they know. */
  readonly #touched = new Set<string>();
  readonly #changes: PlannedChange[] = [];
  /** How many of them are earlier steps'. */
  #earlier = 0;
  readonly #fingerprint: (text: string) => string;

  constructor(present: Present, fingerprint: (text: string) => string) {
    this.present = present;
    this.declared = new Set([...present.wanted.values()].flatMap((list) => list.map(({ id }) => id)));
    this.#fingerprint = fingerprint;
  }

  /** The next step is planned from here. */
  begin(): void {
    this.#earlier = this.#changes.length;
  }

  /** Who sees to it by now; undefined: nobody. */
  seen(id: string): Pick<Seen, "item" | "step"> | undefined {
    return this.#seen.get(id);
  }

  removedFor(id: string): string | undefined {
    return this.#removed.get(id);
  }

  /** Does it stand as wanted, and is nothing changed before it that makes it out of date? */
  stands(item: Wanted): boolean {
    return !this.#touched.has(item.id) && this.#isAsWanted(item) && !this.#isOutdated(item, this.#changes.length);
  }

  /** What a change of it begins with. */
  beginning(item: Pick<Wanted, "id" | "key" | "owner">, type: AnyResourceType, spec?: unknown): Beginning {
    const { id, owner } = item;
    const seen = this.#seen.get(id);
    // What follows others is out of date by the time that the step is begun.
    const follows = type.refreshedBy !== undefined && seen?.made === true;
    const found = this.#touched.has(id) || follows || this.#isOutdated({ ...item, resourceType: type }, this.#earlier);
    const before = this.#holderBefore(id, owner);
    const planned = seen?.item.owner === owner ? "own" : "others";
    // What another step of the plan makes is nobody's no longer.
    const holder = seen?.made === true && before !== "own" ? planned : before;
    const common = { holder, ...(found ? { found: true as const } : {}) } as const;
    if (seen?.made === true)
      return { ...common, before: this.#hash(type, seen.item.desired), shown: type.showSpec(seen.item.spec) };
    const state = this.present.states.get(id);
    if (state === undefined) return { ...common, before: null, shown: null };
    return { ...common, before: this.#hash(type, state), shown: type.showState(state, spec) };
  }

  keep(step: EnsureStep, item: Wanted): void {
    this.#see(step, item, this.#seen.get(item.id)?.made ?? false);
  }

  make(step: EnsureStep, item: Wanted, change: PlannedChange): void {
    this.#change(item.id, change);
    this.#see(step, item, true);
  }

  remove(id: string, change: PlannedChange): void {
    this.#change(id, change);
    this.#removed.set(id, change.owner);
  }

  /** An operation changes these on its way; one that goes along with other changes may not come to it. */
  touch({ when, touches = [] }: Pick<RunStep, "when" | "touches">): void {
    if (when === "changed") return;
    for (const { type, key } of touches) this.#touched.add(addressKey(type, key));
  }

  #see(step: EnsureStep, item: Wanted, made: boolean): void {
    this.#seen.set(item.id, { item, step, changes: this.#changes.length, made });
  }

  #change(id: string, change: PlannedChange): void {
    this.#changes.push(change);
    this.#touched.delete(id);
  }

  #isAsWanted({ id, resourceType, desired, identity }: Wanted): boolean {
    const seen = this.#seen.get(id);
    if (seen?.made === true) return seen.item.identity === identity;
    return isSatisfied(resourceType, desired, identity, this.present.states.get(id));
  }

  /** By those of the plan's first so many changes that come after it. */
  #isOutdated(
    { id, key, resourceType: { refreshedBy } }: Pick<Wanted, "id" | "key" | "resourceType">,
    until: number,
  ): boolean {
    if (refreshedBy === undefined) return false;
    for (let at = this.#seen.get(id)?.changes ?? 0; at < until; at += 1)
      if (refreshedBy(key, this.#changes[at] as PlannedChange)) return true;
    return false;
  }

  #holderBefore(id: string, owner: string): PlannedChange["holder"] {
    const holders: readonly RegisteredResource[] = this.present.holders.get(id) ?? [];
    if (holders.length === 0) return "nobody";
    return holders.some((row) => row.owner === owner) ? "own" : "others";
  }

  #hash(type: AnyResourceType, state: unknown): string {
    return stateHash(type, state, this.#fingerprint);
  }
}
