import { HostwrightError, isLeaseLost } from "../../errors/hostwright-error.ts";
import { ActionContext, describe, leftOf, newAttempt } from "./action-context.ts";
import { applyEnsure, clearEnsure, prepareEnsure } from "./ensure.ts";
import type { Residue } from "../../model/residue.ts";
import { cancelError, type Stopped } from "./cancel-error.ts";
import { HandedOver, throwIfClosing } from "./handed-over.ts";
import { checkGuards } from "../planning/guards.ts";
import type { ActionHistory } from "./journal.ts";
import { preCommitCheck } from "./pre-commit-check.ts";
import { publishingOf } from "./activations.ts";
import type { Action, ActivateAction, EnsureAction, PlanData, RunAction, TransferAction } from "../planning/plan.ts";
import { serversOf } from "../planning/servers-of.ts";
import type { ProbeResult } from "../../contracts/operation.ts";
import type { Outputs } from "../../model/outputs.ts";
import { collectReferences } from "../../model/references.ts";
import type { RunnerParts } from "./runner-parts.ts";
import type { Session } from "../sessions/session.ts";
import { carryTransfer, endTransfer } from "./transfers.ts";
import { hold, Undoing } from "./undoing.ts";

const NOT_BEGUN = "Nothing of it was begun.";

export interface RunEnd {
  readonly committed: boolean;
  readonly error: unknown;
  readonly residue: readonly Residue[];
}

/** Carries out one plan: intent before effect, undo in reverse order before the commit row, forward after it. */
export class Runner {
  readonly #parts: RunnerParts;
  readonly #plan: PlanData;
  readonly #context: ActionContext;

  constructor(parts: RunnerParts, plan: PlanData) {
    this.#parts = parts;
    this.#plan = plan;
    this.#context = new ActionContext(parts, plan);
  }

  /** What its operations have given back. */
  get outputs(): Outputs {
    return this.#context.outputs;
  }

  /**
   * From the beginning, or from where the journal says that a dead worker stopped: what is done is not done again, and
   * the outcome of what was under way is found out by reading the server.
   */
  async run(commit: () => Promise<void>): Promise<RunEnd> {
    const { actions } = this.#plan;
    const { session } = this.#parts;
    const history = await this.#parts.journal.history(this.#plan.task);
    for (const [index, { output }] of history) this.#context.note(index, output);
    let index = 0;
    try {
      for (; index < actions.length && actions[index]?.phase === "prepare"; index++) {
        await this.#boundary();
        await this.#take(index, session, history.get(index));
      }
      await this.#boundary();
      await this.#parts.journal.flush();
      await this.#preCommitCheck(history.size > 0);
      session.signal.throwIfAborted();
      await commit();
    } catch (error) {
      // Another worker has the task: it undoes it, or goes on.
      if (isLeaseLost(error) || error instanceof HandedOver) throw error;
      const reason = (cancelled: boolean, residue: readonly Residue[] = []): unknown =>
        cancelled || session.signal.aborted
          ? cancelError(session.signal, stopped(this.#plan, actions[index], residue), error)
          : error;
      const undone = await this.#parts.undoing(reason);
      if (undone === "committed") return this.finish();
      const residue = await new Undoing(this.#parts, this.#context).all();
      return { committed: false, error: reason(undone.cancelled, residue), residue };
    }
    return this.finish();
  }

  /**
   * Clean-ups, after the commit row: forward only. A cancel that comes now stops nothing any more; what fails for good is
   * listed, and the next verify of its server picks it up.
   */
  async finish(): Promise<RunEnd> {
    const { actions } = this.#plan;
    let history = await this.#parts.journal.history(this.#plan.task);
    for (const [index, { output }] of history) this.#context.note(index, output);
    const policy = this.#parts.retryPolicy();
    const residue: Residue[] = [];
    for (const [index, action] of actions.entries()) {
      if (action.phase !== "clean-up") continue;
      await this.#boundary();
      try {
        await policy.try(async () => {
          await using forward = this.#parts.session.apart();
          try {
            await this.#take(index, forward, history.get(index));
          } catch (error) {
            await this.#parts.journal.flush();
            history = await this.#parts.journal.history(this.#plan.task);
            throw error;
          }
        });
      } catch (error) {
        if (isLeaseLost(error)) throw error;
        for (const one of leftOf(action, error)) residue.push(one);
      }
    }
    await this.#parts.journal.flush();
    return { committed: true, error: null, residue };
  }

  /** Takes everything back that the journal knows of: after a cancel, or an undo that was interrupted. */
  async undo(error: unknown): Promise<RunEnd> {
    await this.#parts.undoing(() => error);
    const residue = await new Undoing(this.#parts, this.#context).all();
    return { committed: false, error, residue };
  }

  async #boundary(): Promise<void> {
    if (this.#parts.closing.aborted) await this.#parts.journal.flush();
    throwIfClosing(this.#parts.closing);
  }

  async #preCommitCheck(recovered: boolean): Promise<void> {
    const { session, server } = this.#parts;
    const actions = this.#plan.actions.filter((action) => action.kind === "ensure" && action.phase === "prepare");
    await preCommitCheck({ context: this.#context, session, recovered, server }, actions as readonly EnsureAction[]);
  }

  /** Does an action, unless a worker before this one has done it. */
  async #take(index: number, session: Session, before: ActionHistory | undefined): Promise<void> {
    if (before?.done === true) return;
    const action = this.#context.action(index);
    if (before !== undefined) {
      for (const id of serversOf(action)) await session.settle(this.#parts.server(id));
      if (action.kind === "run" && (await this.#probe(index, action, session, before))) return;
      if (action.kind === "transfer") await this.#stopFormer(action, session, before);
    }
    await this.#do(index, session, before);
  }

  /** True when the interrupted attempt turns out to have done it. @throws HW_INTERRUPTED when it cannot just be done again. */
  async #probe(index: number, action: RunAction, session: Session, before: ActionHistory): Promise<boolean> {
    const input = this.#context.input(action);
    await session.loadSecrets(collectReferences(input));
    const context = await this.#context.run(index, action, before.attempt, session);
    const result = await this.#context.operation(action).probe(context, input);
    // After the commit row it goes forward whatever it was: clean-ups can be done again.
    if (result === "absent" || (result !== "done" && action.phase === "clean-up")) return false;
    if (result === "done") {
      this.#parts.journal.done(this.#context.row(index, "do", before.attempt), null);
      return true;
    }
    throw interrupted(action, result);
  }

  /** What can go on from what is there is begun again. @throws HW_INTERRUPTED when it cannot */
  async #stopFormer(action: TransferAction, session: Session, before: ActionHistory): Promise<void> {
    await endTransfer(this.#parts, action, before.attempt, session);
    if (action.to.resume === undefined && action.phase === "prepare") throw interrupted(action, "partial");
  }

  async #do(index: number, session: Session, before?: ActionHistory): Promise<void> {
    session.signal.throwIfAborted();
    const { events } = this.#parts;
    const action = this.#context.action(index);
    const { title, serverName: server } = action;
    await events.emit(this.#plan.task, "action:started", {
      action: index,
      of: this.#plan.actions.length,
      server,
      title,
    });
    const started = performance.now();
    try {
      if (action.kind === "ensure") await this.#ensure(index, action, session, before);
      else if (action.kind === "activate") await this.#activate(index, action, session);
      else if (action.kind === "transfer") await this.#transfer(index, action, session);
      else await this.#operate(index, action, session);
    } catch (error) {
      const { code, message } = describe(error);
      await events.emit(this.#plan.task, "action:failed", { action: index, server, title, code, message });
      throw error;
    }
    const ms = Math.round(performance.now() - started);
    // Stored with the next event, as its outcome is with the next intent.
    events.tell(this.#plan.task, "action:finished", { action: index, server, title, ms });
  }

  async #ensure(index: number, action: EnsureAction, session: Session, before?: ActionHistory): Promise<void> {
    const { journal } = this.#parts;
    const attempt = newAttempt();
    const context = await this.#context.ensure(action, session);
    const { server, changes: all } = action;
    const kept = all.filter((change) => change.after !== null);
    const gone = all.filter((change) => change.after === null);
    const { todo, prior } = await prepareEnsure(context, action, before !== undefined);
    // An interrupted attempt has taken room that it asked for already.
    if (before === undefined && todo.length > 0) await checkGuards(context.target, [action], NOT_BEGUN);
    await journal.begin(
      this.#context.row(index, "do", attempt),
      prior,
      kept.map((change) => ({ ...hold(change), server, hash: null })),
      action.records,
    );
    await applyEnsure(context, todo, prior);
    if (before !== undefined) await clearEnsure(context, action);
    if (typeof action.publish === "string") {
      // What an interrupted attempt has written waits for its publication as well.
      const changes = before === undefined ? todo : action.changes;
      await this.#parts.publish(this.#parts.server(action.server), action.publish, session, { changes, force: null });
    }
    journal.done(this.#context.row(index, "do", attempt), null, {
      put: kept.map((change) => ({ ...hold(change), server, hash: change.after })),
      remove: gone.map((change) => ({ ...hold(change), server })),
    });
  }

  async #activate(index: number, action: ActivateAction, session: Session): Promise<void> {
    const { journal } = this.#parts;
    const attempt = newAttempt();
    const server = this.#parts.server(action.server);
    await checkGuards(await session.target(server), [action], NOT_BEGUN);
    await journal.begin(this.#context.row(index, "do", attempt), {}, [], action.records);
    await this.#parts.publish(server, action.service, session, publishingOf(this.#plan, index, action));
    journal.done(this.#context.row(index, "do", attempt), null);
  }

  async #transfer(index: number, action: TransferAction, session: Session): Promise<void> {
    const { journal } = this.#parts;
    const attempt = newAttempt();
    await session.loadSecrets(collectReferences([action.from.login, action.to.login]));
    await checkGuards(await session.target(this.#parts.server(action.server)), [action], NOT_BEGUN);
    await journal.begin(this.#context.row(index, "do", attempt), {}, [], action.records);
    const output = await carryTransfer(this.#parts, { task: this.#plan.task, index, attempt }, action, session);
    this.#context.note(index, output);
    journal.done(this.#context.row(index, "do", attempt), output);
  }

  async #operate(index: number, action: RunAction, session: Session): Promise<void> {
    const { journal } = this.#parts;
    const attempt = newAttempt();
    const input = this.#context.input(action);
    await session.loadSecrets(collectReferences(input));
    await checkGuards(await session.target(this.#parts.server(action.server)), [action], NOT_BEGUN);
    await journal.begin(this.#context.row(index, "do", attempt), {}, [], action.records);
    const output = await this.#context
      .operation(action)
      .run(await this.#context.run(index, action, attempt, session), input);
    this.#context.note(index, output);
    journal.done(this.#context.row(index, "do", attempt), output ?? null);
  }
}

function interrupted({ title, serverName }: Action, outcome: ProbeResult): HostwrightError {
  return new HostwrightError(
    "HW_INTERRUPTED",
    `"${title}" on ${serverName} was interrupted half way, and is taken back.`,
    { server: serverName, retryable: true, data: { outcome } },
  );
}

function stopped(plan: PlanData, action: Action | undefined, residue: readonly Residue[]): Stopped {
  const where = action === undefined ? "before its commit" : `during "${action.title}" on ${action.serverName}`;
  const left = residue.length === 0 ? "What it had done was taken back." : "";
  return { what: plan.title, where, left, ...(action === undefined ? {} : { server: action.serverName }) };
}
