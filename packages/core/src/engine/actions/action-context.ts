import { randomBytes } from "node:crypto";
import type { Operation, OperationContext } from "../../contracts/operation.ts";
import type { JournalRow } from "../../contracts/store.ts";
import { HostwrightError, isHostwrightError } from "../../errors/hostwright-error.ts";
import { bounded } from "../../operations/remote-unit.ts";
import type { EnsureContext } from "./ensure.ts";
import { withOutputs, type Outputs } from "../../model/outputs.ts";
import { collectReferences } from "../../model/references.ts";
import type { Residue } from "../../model/residue.ts";
import type { Action, PlanData, RunAction } from "../planning/plan.ts";
import type { RunnerParts } from "./runner-parts.ts";
import type { Session } from "../sessions/session.ts";

/** What doing and undoing an action have in common. */
export class ActionContext {
  readonly plan: PlanData;
  readonly #parts: RunnerParts;
  readonly #outputs = new Map<string, Readonly<Record<string, unknown>>>();

  constructor(parts: RunnerParts, plan: PlanData) {
    this.#parts = parts;
    this.plan = plan;
  }

  action(index: number): Action {
    const action = this.plan.actions[index];
    if (action === undefined) throw new HostwrightError("HW_INTERNAL", `Plan ${this.plan.id} has no action ${index}.`);
    return action;
  }

  /** What its operations have given back so far. */
  get outputs(): Outputs {
    return this.#outputs;
  }

  /** Keeps what an action gave back for whoever refers to it. */
  note(index: number, output: unknown): void {
    const action = this.action(index);
    if (action.kind !== "run" && action.kind !== "transfer") return;
    if (action.id === undefined || typeof output !== "object" || output === null) return;
    // What a site's program answered may look like a reference to the secret of another.
    if (collectReferences(output).some(({ id }) => !id.startsWith(`task/${this.plan.task}/`)))
      throw new HostwrightError("HW_INTERNAL", `"${action.title}" gave back a secret that it did not keep.`);
    this.#outputs.set(action.id, output as Readonly<Record<string, unknown>>);
  }

  /** An operation's input with the outputs that it refers to. */
  input(action: RunAction): never {
    return withOutputs(action.input, this.#outputs) as never;
  }

  operation(action: RunAction): Operation {
    const operation = this.#parts.operations.get(`${action.operation}@${action.version}`);
    if (operation !== undefined) return operation;
    throw new HostwrightError(
      "HW_PLUGIN_MISSING",
      `No loaded plugin knows the operation ${action.operation}@${action.version}.`,
    );
  }

  async ensure(action: Action, session: Session): Promise<EnsureContext> {
    const { registry, fingerprint } = this.#parts;
    return { registry, session, fingerprint, target: await session.target(this.#parts.server(action.server)) };
  }

  async run(index: number, action: RunAction, attempt: string, session: Session): Promise<OperationContext> {
    const { events, keep } = this.#parts;
    return {
      target: await session.target(this.#parts.server(action.server)),
      view: null,
      attempt,
      redact: session.redact,
      keep,
      log: (line) => {
        events.tell(this.plan.task, "task:log", {
          action: index,
          server: action.serverName,
          // A plugin's program is no better known than a site.
          line: bounded(session.redact(line)),
        });
      },
    };
  }

  row(
    action: number,
    phase: JournalRow["phase"],
    attempt: string,
  ): Pick<JournalRow, "task" | "action" | "phase" | "attempt"> {
    return { task: this.plan.task, action, phase, attempt };
  }
}

export function newAttempt(): string {
  return randomBytes(9).toString("hex");
}

export function describe(error: unknown): { readonly code: string; readonly message: string } {
  if (isHostwrightError(error)) return { code: error.code, message: error.message };
  return { code: "HW_INTERNAL", message: error instanceof Error ? error.message : String(error) };
}

/** Everything that an action is about, where none of it could be looked at. */
export function leftOf(action: Action, error: unknown): readonly Residue[] {
  const { serverName: server, title } = action;
  const reason = describe(error).message;
  if (action.kind !== "ensure" || action.changes.length === 0)
    return [{ server, type: action.kind, key: title, reason }];
  return action.changes.map(({ type, key }) => ({ server, type, key, reason }));
}
