import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Operation } from "../contracts/operation.ts";
import type { RegisterStore } from "../contracts/store.ts";
import type { ServerRecord } from "../model/records.ts";
import { ActionContext, describe, leftOf, newAttempt } from "./action-context.ts";
import { applyEnsure, prepareEnsure, type Residue } from "./ensure.ts";
import type { Events } from "./events.ts";
import type { Journal } from "./journal.ts";
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

  async run(commit: () => Promise<void>): Promise<RunEnd> {
    const { actions } = this.#plan;
    const { session } = this.#parts;
    let index = 0;
    try {
      for (; index < actions.length && actions[index]?.phase === "prepare"; index++) await this.#do(index, session);
      await this.#parts.journal.flush();
      session.signal.throwIfAborted();
      await commit();
    } catch (error) {
      const residue = await new Undoing(this.#parts, this.#context).from(Math.min(index, actions.length - 1));
      const cancelled = session.signal.aborted;
      return {
        committed: false,
        error: cancelled ? cancelError(error, this.#plan, actions[index], residue) : error,
        residue,
      };
    }
    // A cancel that comes too late stops nothing any more.
    await using forward = session.apart();
    const residue: Residue[] = [];
    for (; index < actions.length; index++) residue.push(...(await this.#cleanUp(index, forward)));
    await this.#parts.journal.flush();
    return { committed: true, error: null, residue };
  }

  async #do(index: number, session: Session): Promise<void> {
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
      if (action.kind === "ensure") await this.#ensure(index, action, session);
      else await this.#operate(index, action, session);
    } catch (error) {
      const { code, message } = describe(error);
      await events.emit(this.#plan.task, "action:failed", { action: index, server, title, code, message });
      throw error;
    }
    const ms = Math.round(performance.now() - started);
    await events.emit(this.#plan.task, "action:finished", { action: index, server, title, ms });
  }

  async #ensure(index: number, action: EnsureAction, session: Session): Promise<void> {
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
      await this.#parts.publish(this.#plan.task, this.#parts.server(action.server), action.publish, session, todo);
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
  async #cleanUp(index: number, session: Session): Promise<readonly Residue[]> {
    try {
      await this.#do(index, session);
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
