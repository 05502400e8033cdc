import { HostwrightError, PART, provide, SshServer, type OpenServer, type Provider } from "@hostwright/core";
import { type Command, type CommandResult } from "@hostwright/core/plugin";
import type { JournalRow } from "../../packages/core/src/contracts/store.ts";
import { TableJournal } from "../../packages/core/src/store/state/table-journal.ts";

/** An action of a task that is to fail, once: this one, or the first one after it, or its commit. */
export interface Plant {
  readonly task: string;
  readonly action: number;
}

/** What a planted failure says. */
export const PLANTED = "planted by the kills";

/** Makes an operation of a task fail: the first command after its action's intent was written is not run. */
export class Saboteur {
  plant: Plant | null = null;
  #armed = false;

  constructor() {
    const { write, commit } = TableJournal.prototype;
    const written = (rows: Parameters<typeof write>[0]): void => this.#written(rows);
    const refuse = (task: string): void => this.#refuseCommit(task);
    TableJournal.prototype.write = async function (this: TableJournal, rows, ...rest) {
      await write.call(this, rows, ...rest);
      written(rows);
    };
    TableJournal.prototype.commit = async function (this: TableJournal, task, ...rest) {
      refuse(task);
      return commit.call(this, task, ...rest);
    };
  }

  #written(rows: readonly JournalRow[]): void {
    const { plant } = this;
    const begun = rows.filter(({ phase, state }) => phase === "do" && state === "begun");
    if (!begun.some(({ task, action }) => task === plant?.task && action >= plant.action)) return;
    this.plant = null;
    this.#armed = true;
  }

  /** Clean-ups, which come next, are not to fail: they would leave residue. */
  #refuseCommit(task: string): void {
    this.#armed = false;
    if (this.plant?.task !== task) return;
    this.plant = null;
    throw new HostwrightError("HW_COMMAND_FAILED", PLANTED);
  }

  /** Real SSH servers, but for that one command. */
  get provider(): Provider<OpenServer> {
    return provide(PART.openServer, () => async ({ name, connect }, privateKey) => {
      if (connect.type !== "ssh") throw new Error("test hosts are reached over SSH");
      return new SabotagedServer(() => this.#isDue(), { name, ...connect, privateKey: await privateKey() });
    });
  }

  #isDue(): boolean {
    const due = this.#armed;
    this.#armed = false;
    return due;
  }
}

class SabotagedServer extends SshServer {
  readonly #isDue: () => boolean;

  constructor(isDue: () => boolean, options: ConstructorParameters<typeof SshServer>[0]) {
    super(options);
    this.#isDue = isDue;
  }

  override async run(command: Command): Promise<CommandResult> {
    if (!this.#isDue()) return super.run(command);
    return {
      exitCode: 1,
      signal: null,
      stdout: Buffer.alloc(0),
      stderr: PLANTED,
      timedOut: false,
      aborted: false,
      truncated: false,
    };
  }
}
