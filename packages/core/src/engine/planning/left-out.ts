import type { RegisteredResource } from "../../contracts/store.ts";
import { isHostwrightError, toHostwrightError } from "../../errors/hostwright-error.ts";
import type { Registry } from "../plugins/registry.ts";
import type { States } from "./resource-states.ts";
import { selection } from "./selection.ts";
import type { EnsureStep } from "../../contracts/steps.ts";
import type { Wanted } from "./wanted.ts";

type Item = Wanted | RegisteredResource;

/** Owners that a plan leaves as they stand, because something of theirs failed: see `EnsureStep.apart`. */
export class LeftOut {
  readonly owners: Set<string> = new Set();
  readonly #registry: Registry;
  readonly #signal: AbortSignal;

  constructor(registry: Registry, signal: AbortSignal) {
    this.#registry = registry;
    this.#signal = signal;
  }

  /** @throws the error, where the step judges nobody alone or nothing can be read any more */
  leave(step: EnsureStep, owner: string, error: unknown): void {
    const isServers = isHostwrightError(error) && error.code.startsWith("HW_SSH_");
    if (step.apart === undefined || isServers || this.#signal.aborted) throw error;
    if (this.owners.has(owner)) return;
    this.owners.add(owner);
    step.apart(owner, toHostwrightError(error));
  }

  /** The work for each owner of a step by itself; for all at once where nobody is judged alone. */
  async eachOwner<T extends { readonly owner: string }, R>(
    step: EnsureStep,
    items: readonly T[],
    work: (items: readonly T[]) => readonly R[] | Promise<readonly R[]>,
  ): Promise<readonly R[]> {
    if (step.apart === undefined) return work(items);
    const results: R[] = [];
    for (const [owner, own] of Map.groupBy(items, (item) => item.owner)) {
      if (this.owners.has(owner)) continue;
      try {
        for (const result of await work(own)) results.push(result);
      } catch (error) {
        this.leave(step, owner, error);
      }
    }
    return results;
  }

  /** Reads states type by type; of a type that cannot be read all owners are left out. */
  async readTypes(
    list: readonly Item[],
    wanted: ReadonlyMap<EnsureStep, readonly Wanted[]>,
    read: (some: readonly Item[]) => Promise<States>,
  ): Promise<States> {
    const reading = [...Map.groupBy(list, (item) => item.type).values()].map(async (some) => {
      try {
        return await read(some);
      } catch (error) {
        const own = new Set(some);
        const removers = [...wanted.keys()].map((step) => [step, selection(this.#registry, step.remove)] as const);
        for (const [step, items] of wanted) {
          for (const item of items) if (own.has(item)) this.leave(step, item.owner, error);
        }
        for (const item of some) {
          const removing = "id" in item ? undefined : removers.find(([, isSelected]) => isSelected(item));
          if (removing !== undefined) this.leave(removing[0], item.owner, error);
        }
        return new Map<string, unknown>();
      }
    });
    return new Map((await Promise.all(reading)).flatMap((states) => [...states]));
  }
}
