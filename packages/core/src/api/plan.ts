import type { Action, PlanData } from "../engine/plan.ts";
import { renderPlan } from "../engine/render-plan.ts";
import { planHash } from "../engine/task-engine.ts";

/** A plan to be read, approved and run. Running goes by id: what a browser sends back is never believed. */
export class Plan {
  readonly id: string;
  readonly title: string;
  /** Of actions and record changes: what an approval names. */
  readonly hash: string;
  readonly expiresAt: string;
  readonly actions: readonly Action[];
  /** What planning found or what the task will give back: problems, pages, the site's id. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly #data: PlanData;

  constructor(data: PlanData) {
    this.#data = data;
    this.id = data.id;
    this.title = data.title;
    this.hash = planHash(data);
    this.expiresAt = data.expiresAt;
    this.actions = data.actions;
    this.value = data.value;
  }

  /** True when everything stands as wanted. */
  get empty(): boolean {
    return this.actions.length === 0;
  }

  /** Every action with its diff, for a person. */
  render(): string {
    return renderPlan(this.#data);
  }
}
