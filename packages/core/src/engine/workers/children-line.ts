import type { TaskState } from "../../contracts/store.ts";
import type { PlannedChildren } from "../planning/plan.ts";
import { hasEnded } from "../task-ends.ts";

/** Which children were put into the line, and what became of them: says how many more may be. Only counts, no effects. */
export class ChildrenLine {
  readonly #plan: Pick<PlannedChildren, "concurrency" | "stopAfter"> & { readonly total: number };
  readonly #open = new Map<string, number>();
  #submitted = 0;
  #failed = 0;

  constructor({ list, concurrency, stopAfter }: PlannedChildren) {
    this.#plan = { total: list.length, concurrency, stopAfter };
  }

  get failed(): number {
    return this.#failed;
  }

  get ended(): number {
    return this.#submitted - this.#open.size;
  }

  /** Ids of those that are in line or worked, in the order of their submission, each with its place in the plan. */
  get open(): readonly (readonly [id: string, place: number])[] {
    return [...this.#open];
  }

  /** So many failed that no further one is begun. */
  get isStopped(): boolean {
    const { stopAfter } = this.#plan;
    return stopAfter !== null && this.#failed >= stopAfter;
  }

  /** Place of the one that is put into the line now; null while, or since, none is. */
  get next(): number | null {
    const { total, concurrency } = this.#plan;
    const mayBe = !this.isStopped && this.#submitted < total && this.#open.size < concurrency;
    return mayBe ? this.#submitted : null;
  }

  /** Nobody is worked any more, and all were put into the line. */
  get isOver(): boolean {
    return this.#open.size === 0 && this.#submitted === this.#plan.total;
  }

  /** The next one is in line. */
  submitted(id: string): void {
    this.#open.set(id, this.#submitted);
    this.#submitted++;
  }

  /** True when it has ended by that state; null: it is gone, and nobody knows how it ended. */
  note(id: string, state: TaskState | null): boolean {
    if (state !== null && !hasEnded(state)) return false;
    this.#open.delete(id);
    if (state !== "succeeded") this.#failed++;
    return true;
  }
}
