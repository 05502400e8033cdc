import type { Action, PlanApproval, PlanData, PlannedChild } from "../engine/planning/plan.ts";
import { isEmpty, renderPlan, type RenderOptions } from "../engine/planning/render-plan.ts";

/** A plan to be read, approved and run. Running goes by id: what a browser sends back is never believed. */
export class Plan<Value = unknown> {
  readonly id: string;
  readonly title: string;
  /** SHA-256, hex, over actions, record changes and request: what an approval names. Times and ids do not count. */
  readonly hash: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
  /** In the order in which they are carried out. */
  readonly actions: readonly Action[];
  /** Tasks that are worked for it, in the order in which they are begun; mostly none. */
  readonly children: readonly PlannedChild[];
  /** What planning found or what the task will give back: problems, pages, the site's id. */
  readonly value: Value;
  readonly #data: PlanData;

  constructor(data: PlanData) {
    this.#data = data;
    this.id = data.id;
    this.title = data.title;
    this.hash = data.hash;
    this.expiresAt = data.expiresAt;
    this.actions = data.actions;
    this.children = data.children?.list ?? [];
    this.value = data.value as Value;
  }

  /** True when everything stands as wanted. One with children is not: each finds out when it is planned. */
  get empty(): boolean {
    return isEmpty(this.#data);
  }

  /** What a person approves: these two words go to a browser and come back, never a plan (decisions.md D1). */
  get approval(): PlanApproval {
    return { plan: this.id, hash: this.hash };
  }

  /**
   * Every action with its diff, and every child by its title, as text for a person. Holds references (`<db password of example.com>`), never secrets.
   */
  render(options: RenderOptions = {}): string {
    return renderPlan(this.#data, options);
  }
}
