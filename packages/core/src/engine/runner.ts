import { randomBytes } from "node:crypto";
import { HostwrightError, isHostwrightError } from "../errors/hostwright-error.ts";
import type { Operation, OperationContext } from "../contracts/operation.ts";
import type { JournalRow, RegisterStore } from "../contracts/store.ts";
import type { ServerRecord } from "../model/records.ts";
import { applyEnsure, prepareEnsure, undoEnsure, type PriorStates, type Residue } from "./ensure.ts";
import type { Events } from "./events.ts";
import type { Journal } from "./journal.ts";
import type { Action, EnsureAction, PlanData, RunAction } from "./plan.ts";
import { collectReferences } from "./references.ts";
import type { Registry } from "./registry.ts";
import type { Session } from "./session.ts";

export interface RunnerParts {
  readonly registry: Registry;
  readonly register: RegisterStore;
  readonly journal: Journal;
  readonly events: Events;
  readonly session: Session;
  readonly operations: ReadonlyMap<string, Operation<never>>;
  fingerprint(text: string): string;
  server(id: string): ServerRecord;
  /** Publishes a new generation of an http service if its entries ask for one. */
  publish(task: string, server: ServerRecord, service: string, session: Session, force: boolean): Promise<void>;
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

  constructor(parts: RunnerParts, plan: PlanData) {
    this.#parts = parts;
    this.#plan = plan;
  }

  async run(commit: () => Promise<void>): Promise<RunEnd> {
    const { actions } = this.#plan;
    let index = 0;
    try {
      for (; index < actions.length && actions[index]?.phase === "prepare"; index++) await this.#do(index);
      await this.#parts.journal.flush();
      await commit();
    } catch (error) {
      const residue = await this.#undoFrom(Math.min(index, actions.length - 1));
      return { committed: false, error, residue };
    }
    const residue: Residue[] = [];
    for (; index < actions.length; index++) residue.push(...(await this.#cleanUp(index)));
    await this.#parts.journal.flush();
    return { committed: true, error: null, residue };
  }

  async #do(index: number): Promise<void> {
    const { events } = this.#parts;
    const action = this.#action(index);
    const { title, serverName: server } = action;
    await events.emit(this.#plan.task, "action:started", { action: index, of: this.#plan.actions.length, server, title });
    const started = performance.now();
    try {
      if (action.kind === "ensure") await this.#ensure(index, action);
      else await this.#operate(index, action);
    } catch (error) {
      const { code, message } = describe(error);
      await events.emit(this.#plan.task, "action:failed", { action: index, server, title, code, message });
      throw error;
    }
    const ms = Math.round(performance.now() - started);
    await events.emit(this.#plan.task, "action:finished", { action: index, server, title, ms });
  }

  async #ensure(index: number, action: EnsureAction): Promise<void> {
    const { journal, register, session } = this.#parts;
    const attempt = newAttempt();
    const context = await this.#context(action);
    const { todo, prior } = await prepareEnsure(context, action);
    await journal.begin(this.#row(index, "do", attempt), prior);
    await register.put(
      action.changes
        .filter((change) => change.after !== null)
        .map((change) => ({ ...pick(change), server: action.server, hash: null })),
    );
    await applyEnsure(context, todo, prior);
    if (action.publish !== null) {
      await this.#parts.publish(this.#plan.task, this.#parts.server(action.server), action.publish, session, todo.length > 0);
    }
    await register.put(
      action.changes
        .filter((change) => change.after !== null)
        .map((change) => ({ ...pick(change), server: action.server, hash: change.after })),
    );
    await register.remove(
      action.changes.filter((change) => change.after === null).map((change) => ({ ...pick(change), server: action.server })),
    );
    journal.done(this.#row(index, "do", attempt), null);
  }

  async #operate(index: number, action: RunAction): Promise<void> {
    const { journal, session } = this.#parts;
    const attempt = newAttempt();
    await session.loadSecrets(collectReferences(action.input));
    await journal.begin(this.#row(index, "do", attempt), {});
    const output = await this.#operation(action).run(await this.#operationContext(index, action, attempt), action.input as never);
    journal.done(this.#row(index, "do", attempt), output ?? null);
  }

  async #undoFrom(last: number): Promise<readonly Residue[]> {
    const { journal, events } = this.#parts;
    await journal.flush();
    const begun = await journal.begun(this.#plan.task);
    const residue: Residue[] = [];
    for (let index = last; index >= 0; index--) {
      const intent = begun.get(index);
      if (intent === undefined) continue;
      const action = this.#action(index);
      const attempt = newAttempt();
      await journal.begin(this.#row(index, "undo", attempt), {});
      const left = await this.#undoAction(index, action, intent.prior, attempt);
      residue.push(...left);
      journal.done(this.#row(index, "undo", attempt), left);
      const { title, serverName: server } = action;
      await events.emit(this.#plan.task, "action:undone", { action: index, server, title, residue: left });
    }
    await journal.flush();
    return residue;
  }

  async #undoAction(index: number, action: Action, prior: PriorStates, attempt: string): Promise<readonly Residue[]> {
    try {
      if (action.kind === "run") {
        await this.#operation(action).undo(await this.#operationContext(index, action, attempt), action.input as never);
        return [];
      }
      const { register, session } = this.#parts;
      const context = await this.#context(action);
      const residue = await undoEnsure(context, action, prior);
      if (action.publish !== null) {
        await this.#parts.publish(this.#plan.task, this.#parts.server(action.server), action.publish, session, false);
      }
      const left = new Set(residue.map((item) => `${item.type}\n${item.key}`));
      await register.remove(
        action.changes
          .filter((change) => change.before === null && !left.has(`${change.type}\n${change.key}`))
          .map((change) => ({ ...pick(change), server: action.server })),
      );
      await register.put(
        action.changes
          .filter((change) => change.before !== null && !change.adopt)
          .map((change) => ({ ...pick(change), server: action.server, hash: change.before })),
      );
      return residue;
    } catch (error) {
      return [{ server: action.serverName, type: action.kind, key: action.title, reason: describe(error).message }];
    }
  }

  /** After the commit row nothing is undone: what fails is listed, and the next verify picks it up. */
  async #cleanUp(index: number): Promise<readonly Residue[]> {
    try {
      await this.#do(index);
      return [];
    } catch (error) {
      const action = this.#action(index);
      return [{ server: action.serverName, type: action.kind, key: action.title, reason: describe(error).message }];
    }
  }

  async #context(action: Action): Promise<Parameters<typeof prepareEnsure>[0]> {
    const { registry, session, fingerprint } = this.#parts;
    return { registry, session, fingerprint, target: await session.target(this.#parts.server(action.server)) };
  }

  async #operationContext(index: number, action: RunAction, attempt: string): Promise<OperationContext> {
    const { session, events } = this.#parts;
    return {
      target: await session.target(this.#parts.server(action.server)),
      view: null,
      attempt,
      log: (line) => {
        void events.emit(this.#plan.task, "task:log", { action: index, server: action.serverName, line });
      },
    };
  }

  #operation(action: RunAction): Operation<never> {
    const operation = this.#parts.operations.get(`${action.operation}@${action.version}`);
    if (operation !== undefined) return operation;
    throw new HostwrightError("HW_PLUGIN_MISSING", `No loaded plugin knows the operation ${action.operation}@${action.version}.`);
  }

  #action(index: number): Action {
    const action = this.#plan.actions[index];
    if (action === undefined) throw new HostwrightError("HW_INTERNAL", `Plan ${this.#plan.id} has no action ${index}.`);
    return action;
  }

  #row(action: number, phase: JournalRow["phase"], attempt: string): Pick<JournalRow, "task" | "action" | "phase" | "attempt"> {
    return { task: this.#plan.task, action, phase, attempt };
  }
}

function pick<T extends { type: string; key: string; owner: string; shared: boolean }>(
  value: T,
): Pick<T, "type" | "key" | "owner" | "shared"> {
  return { type: value.type, key: value.key, owner: value.owner, shared: value.shared };
}

function newAttempt(): string {
  return randomBytes(9).toString("hex");
}

function describe(error: unknown): { code: string; message: string } {
  if (isHostwrightError(error)) return { code: error.code, message: error.message };
  return { code: "HW_INTERNAL", message: error instanceof Error ? error.message : String(error) };
}
