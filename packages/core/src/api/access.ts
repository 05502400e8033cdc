import type { PolicyObject } from "../contracts/policy-object.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";

/** Who asks. Bare `hw` is `system`. */
export interface Actor {
  /** The application's own name for somebody; it stands in tasks and events. */
  readonly id: string;
}

/** The host application's rules: may this actor do that? */
export interface Policy {
  /** `verb` is a task's type (`site:install`) or `server:put`, `platform:put`, `server:read` ... An install is asked about once for its domain and for each alias. */
  allow(actor: Actor, verb: string, object: PolicyObject): boolean | Promise<boolean>;
}

export const SYSTEM: Actor = { id: "system" };

/** One actor's rights, asked before anything is read or done for it (decisions.md D41). */
export class Access {
  readonly actor: Actor;
  readonly #policy: Policy | null;

  constructor(actor: Actor = SYSTEM, policy: Policy | null = null) {
    this.actor = actor;
    this.#policy = policy;
  }

  async allows(verb: string, object: PolicyObject): Promise<boolean> {
    if (this.#policy === null || this.actor === SYSTEM) return true;
    // Whatever else a policy answers is no.
    const answer: unknown = await this.#policy.allow(this.actor, verb, object);
    return answer === true;
  }

  /** @throws HW_FORBIDDEN */
  async require(verb: string, object: PolicyObject): Promise<void> {
    if (await this.allows(verb, object)) return;
    throw new HostwrightError(
      "HW_FORBIDDEN",
      `${this.actor.id} may not do ${verb} on ${object.kind} ${object.name}. Nothing was changed.`,
      { data: { actor: this.actor.id, verb, object } },
    );
  }

  /** What may not be read is not found. @throws HW_NOT_FOUND */
  async requireVisible(object: PolicyObject): Promise<void> {
    if (await this.allows(`${object.kind}:read`, object)) return;
    throw new HostwrightError("HW_NOT_FOUND", `There is no ${object.kind} "${object.name.slice(0, 100)}".`);
  }

  /** Its own tasks, and those about what it may read. */
  async seesTask(actorId: string, object: () => Promise<PolicyObject>): Promise<boolean> {
    if (this.#policy === null || this.actor === SYSTEM || actorId === this.actor.id) return true;
    return this.allows("task:read", await object());
  }

  /** Of these, what the actor may read. */
  async visible<T>(kind: PolicyObject["kind"], list: readonly T[], name: (item: T) => string): Promise<readonly T[]> {
    const seen = await Promise.all(list.map(async (item) => this.allows(`${kind}:read`, { kind, name: name(item) })));
    return list.filter((_item, index) => seen[index] === true);
  }
}
