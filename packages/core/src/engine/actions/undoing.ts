import { HostwrightError, isLeaseLost } from "../../errors/hostwright-error.ts";
import { leftOf, newAttempt, type ActionContext } from "./action-context.ts";
import { clearEnsure, undoEnsure } from "./ensure.ts";
import type { Residue } from "../../model/residue.ts";
import type { ActionHistory } from "./journal.ts";
import type { RetryPolicy } from "../sessions/retry-policy.ts";
import { isBegun, publishingOf, undoOrder } from "./activations.ts";
import type { Action, ActivateAction, EnsureAction, PlannedChange, RunAction } from "../planning/plan.ts";
import { serversOf } from "../planning/servers-of.ts";
import { endTransfer } from "./transfers.ts";
import type { RunnerParts } from "./runner-parts.ts";
import type { Session } from "../sessions/session.ts";

/**
 * Takes back what a plan has begun, last first, over all servers. It has connections of its own: those of the work may be
 * lost, and its signal aborted. What cannot be reached is tried again for a while, then listed.
 */
export class Undoing {
  readonly #parts: RunnerParts;
  readonly #context: ActionContext;
  readonly #policy: RetryPolicy;

  constructor(parts: RunnerParts, context: ActionContext) {
    this.#parts = parts;
    this.#context = context;
    this.#policy = parts.retryPolicy();
  }

  /** @throws HW_LEASE_LOST: another worker undoes it. */
  async all(): Promise<readonly Residue[]> {
    const { journal, events } = this.#parts;
    const { plan } = this.#context;
    const begun = await journal.history(plan.task);
    for (const [index, { output }] of begun) this.#context.note(index, output);
    const residue: Residue[] = [];
    const order = undoOrder(plan.actions).filter((index) => isBegun(plan.actions, index, new Set(begun.keys())));
    let done = 0;
    try {
      for (const index of order) {
        if (begun.get(index)?.undone?.length !== 0) {
          const action = this.#context.action(index);
          const row = this.#context.row(index, "undo", newAttempt());
          await journal.begin(row, {});
          const left = await this.#patiently(index, action, begun.get(index), row.attempt);
          for (const one of left) residue.push(one);
          journal.done(row, left);
          const { title, serverName: server } = action;
          await events.emit(plan.task, "action:undone", { action: index, server, title, residue: left });
        }
        done += 1;
      }
      await journal.flush();
    } catch (error) {
      // All was undone, but the journal does not say so: then it does not count.
      if (isLeaseLost(error) || done === order.length) throw error;
      // Without its journal an undo goes no further: what it did not come to is left.
      for (const index of order.slice(done))
        for (const one of leftOf(this.#context.action(index), error)) residue.push(one);
    }
    return residue;
  }

  async #patiently(
    index: number,
    action: Action,
    intent: ActionHistory | undefined,
    attempt: string,
  ): Promise<readonly Residue[]> {
    // Nothing of it runs any longer, and what was received goes with what was made for it.
    if (action.kind === "transfer" && intent?.done === true) return [];
    try {
      return await this.#policy.try(async () => {
        await using session = this.#parts.session.apart();
        for (const id of serversOf(action)) await session.settle(this.#parts.server(id));
        if (action.kind === "activate") return await this.#activated(index, action, session);
        if (intent === undefined) return [];
        if (action.kind === "ensure") return await this.#ensured(action, intent, session);
        if (action.kind === "transfer") {
          await endTransfer(this.#parts, action, intent.attempt, session);
          return [];
        }
        return await this.#operated(index, action, intent, attempt, session);
      });
    } catch (error) {
      if (isLeaseLost(error)) throw error;
      return leftOf(action, error);
    }
  }

  /** Whatever still runs of it is stopped first. What nobody can tell the outcome of is left to a person (decisions.md D6). */
  async #operated(
    index: number,
    action: RunAction,
    intent: ActionHistory,
    attempt: string,
    session: Session,
  ): Promise<readonly Residue[]> {
    const operation = this.#context.operation(action);
    const input = this.#context.input(action);
    if (intent.undoing !== undefined)
      await operation.probe(await this.#context.run(index, action, intent.undoing, session), input);
    const found = await operation.probe(await this.#context.run(index, action, intent.attempt, session), input);
    if (found === "unknown") {
      const { title, serverName: server } = action;
      const message = `What became of "${title}" on ${server} could not be found out: it was left as it is.`;
      return leftOf(action, new HostwrightError("HW_UNDO_INCOMPLETE", message, { server }));
    }
    await operation.undo(await this.#context.run(index, action, attempt, session), input);
    return [];
  }

  /** What stood before is in force again. */
  async #activated(index: number, action: ActivateAction, session: Session): Promise<readonly Residue[]> {
    const { publish, server } = this.#parts;
    const publishing = publishingOf(this.#context.plan, index, action);
    await publish(server(action.server), action.service, session, publishing);
    return [];
  }

  async #ensured(action: EnsureAction, intent: ActionHistory, session: Session): Promise<readonly Residue[]> {
    const { register, publish, server: recordOf } = this.#parts;
    const context = await this.#context.ensure(action, session);
    const residue = await undoEnsure(context, action, intent.prior);
    if (!intent.done) await clearEnsure(context, action);
    if (typeof action.publish === "string")
      await publish(recordOf(action.server), action.publish, session, { changes: action.changes, force: null });
    const left = new Set(residue.map((item) => `${item.type}\n${item.key}`));
    const { changes, server } = action;
    const gone = changes.filter((change) => change.holder !== "own" && !left.has(`${change.type}\n${change.key}`));
    const kept = changes.filter((change) => change.holder === "own");
    await register.remove(gone.map((change) => ({ ...hold(change), server })));
    await register.put(kept.map((change) => ({ ...hold(change), server, hash: change.before })));
    return residue;
  }
}

export function hold({
  type,
  key,
  owner,
  shared,
}: PlannedChange): Pick<PlannedChange, "type" | "key" | "owner" | "shared"> {
  return { type, key, owner, shared };
}
