import { HostwrightError, isHostwrightError } from "../errors/hostwright-error.ts";
import type { Operation } from "../contracts/operation.ts";
import type { RegisterStore } from "../contracts/store.ts";
import type { ServerRecord } from "../model/records.ts";
import { ActionContext, describe, leftOf, newAttempt } from "./action-context.ts";
import { applyEnsure, prepareEnsure, type Residue } from "./ensure.ts";
import type { Events } from "./events.ts";
import type { ActionHistory, Journal } from "./journal.ts";
import type { Action, EnsureAction, PlanData, PlannedChange, RunAction } from "./plan.ts";
import { collectReferences } from "../model/references.ts";
import type { Registry } from "./registry.ts";
import type { Session } from "./session.ts";
import { hold, Undoing } from "./undoing.ts";

export interface RunnerParts {
  readonly registry: Registry;
  readonly register: RegisterStore;
  readonly journal: Journal;
  readonly events: Events;
  readonly session: Session;
  readonly operations: ReadonlyMap<string, Operation>;
  fingerprint(text: string): string;
  server(id: string): ServerRecord;
  /** Tells the store that the task is being undone. */
  undoing(): Promise<void>;
  /** Seals a secret that the task gives back. */
  keep(name: string, value: string): Promise<void>;
  /** Publishes a new generation of an http service if its entries, or these changes, ask for one. */
  publish(
    task: string,
    server: ServerRecord,
    service: string,
    session: Session,
    changes: readonly PlannedChange[],
  ): Promise<void>;
}

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

  /**
   * From the beginning, or from where the journal says that a dead worker stopped: what is done is not done again, and
   * the outcome of what was under way is found out by reading the server.
   */
  async run(commit: () => Promise<void>): Promise<RunEnd> {
    const { actions } = this.#plan;
    const { session } = this.#parts;
    const history = await this.#parts.journal.history(this.#plan.task);
    let index = 0;
    try {
      for (; index < actions.length && actions[index]?.phase === "prepare"; index++) {
        await this.#take(index, session, history.get(index));
      }
      await this.#parts.journal.flush();
      session.signal.throwIfAborted();
      await commit();
    } catch (error) {
      // Another worker has the task: it undoes it, or goes on.
      if (isHostwrightError(error) && error.code === "HW_LEASE_LOST") throw error;
      await this.#parts.undoing();
      const residue = await new Undoing(this.#parts, this.#context).from(actions.length - 1);
      const cancelled = session.signal.aborted;
      return {
        committed: false,
        error: cancelled ? cancelError(error, this.#plan, actions[index], residue) : error,
        residue,
      };
    }
    return this.finish();
  }

  /** Clean-ups, after the commit row: forward only. A cancel that comes now stops nothing any more. */
  async finish(): Promise<RunEnd> {
    const { actions } = this.#plan;
    await using forward = this.#parts.session.apart();
    const history = await this.#parts.journal.history(this.#plan.task);
    const residue: Residue[] = [];
    for (const [index, action] of actions.entries()) {
      if (action.phase === "clean-up") residue.push(...(await this.#cleanUp(index, forward, history.get(index))));
    }
    await this.#parts.journal.flush();
    return { committed: true, error: null, residue };
  }

  /** Takes everything back that the journal knows of: after a cancel, or an undo that was interrupted. */
  async undo(error: unknown): Promise<RunEnd> {
    await this.#parts.undoing();
    const residue = await new Undoing(this.#parts, this.#context).from(this.#plan.actions.length - 1);
    return { committed: false, error, residue };
  }

  /** Does an action, unless a worker before this one has done it. */
  async #take(index: number, session: Session, before: ActionHistory | undefined): Promise<void> {
    if (before?.done === true) return;
    const action = this.#context.action(index);
    if (before !== undefined) {
      await session.settle(this.#parts.server(action.server));
      if (action.kind === "run" && (await this.#probe(index, action, session, before))) return;
    }
    await this.#do(index, session, before);
  }

  /** True when the interrupted attempt turns out to have done it. @throws HW_INTERRUPTED when it cannot just be done again. */
  async #probe(index: number, action: RunAction, session: Session, before: ActionHistory): Promise<boolean> {
    await session.loadSecrets(collectReferences(action.input));
    const context = await this.#context.run(index, action, before.attempt, session);
    const result = await this.#context.operation(action).probe(context, action.input as never);
    if (result === "absent") return false;
    if (result === "done") {
      this.#parts.journal.done(this.#context.row(index, "do", before.attempt), null);
      return true;
    }
    throw new HostwrightError(
      "HW_INTERRUPTED",
      `"${action.title}" on ${action.serverName} was interrupted half way, and is taken back.`,
      { server: action.serverName, retryable: true, data: { outcome: result } },
    );
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
      else await this.#operate(index, action, session);
    } catch (error) {
      const { code, message } = describe(error);
      await events.emit(this.#plan.task, "action:failed", { action: index, server, title, code, message });
      throw error;
    }
    const ms = Math.round(performance.now() - started);
    await events.emit(this.#plan.task, "action:finished", { action: index, server, title, ms });
  }

  async #ensure(index: number, action: EnsureAction, session: Session, before?: ActionHistory): Promise<void> {
    const { journal, register } = this.#parts;
    const attempt = newAttempt();
    const context = await this.#context.ensure(action, session);
    const { todo, prior } = await prepareEnsure(context, action);
    await journal.begin(this.#context.row(index, "do", attempt), prior);
    await register.put(
      action.changes
        .filter((change) => change.after !== null)
        .map((change) => ({ ...hold(change), server: action.server, hash: null })),
    );
    await applyEnsure(context, todo, prior);
    if (action.publish !== null) {
      // What an interrupted attempt has written waits for its publication as well.
      const changes = before === undefined ? todo : action.changes;
      await this.#parts.publish(this.#plan.task, this.#parts.server(action.server), action.publish, session, changes);
    }
    await register.put(
      action.changes
        .filter((change) => change.after !== null)
        .map((change) => ({ ...hold(change), server: action.server, hash: change.after })),
    );
    await register.remove(
      action.changes
        .filter((change) => change.after === null)
        .map((change) => ({ ...hold(change), server: action.server })),
    );
    journal.done(this.#context.row(index, "do", attempt), null);
  }

  async #operate(index: number, action: RunAction, session: Session): Promise<void> {
    const { journal } = this.#parts;
    const attempt = newAttempt();
    await session.loadSecrets(collectReferences(action.input));
    await journal.begin(this.#context.row(index, "do", attempt), {});
    const output = await this.#context
      .operation(action)
      .run(await this.#context.run(index, action, attempt, session), action.input as never);
    journal.done(this.#context.row(index, "do", attempt), output ?? null);
  }

  /** After the commit row nothing is undone: what fails is listed, and the next verify picks it up. */
  async #cleanUp(index: number, session: Session, before?: ActionHistory): Promise<readonly Residue[]> {
    try {
      await this.#take(index, session, before);
      return [];
    } catch (error) {
      return leftOf(this.#context.action(index), error);
    }
  }
}

/** A cancelled task failed because it was cancelled, whatever the cancel made fail. */
function cancelError(
  cause: unknown,
  plan: PlanData,
  action: Action | undefined,
  residue: readonly Residue[],
): HostwrightError {
  const where = action === undefined ? "before its commit" : `during "${action.title}" on ${action.serverName}`;
  const undone = residue.length === 0 ? " What it had done was taken back." : "";
  return new HostwrightError("HW_CANCELLED", `${plan.title} was cancelled ${where}.${undone}`, {
    ...(action === undefined ? {} : { server: action.serverName }),
    mend: "Submit it again when it is wanted.",
    cause,
  });
}
