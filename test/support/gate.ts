import type { Duplex } from "node:stream";
import { PART, provide, SshServer, type OpenServer, type Provider } from "@hostwright/core";
import { type Command, type CommandResult, type SocketAddress } from "@hostwright/core/plugin";

/** Holds up everything for servers until a test has done what it does at that very moment. */
export class Gate {
  #closed: Promise<unknown> = Promise.resolve();
  #broken: Error | undefined;

  /** Nothing more is sent to any server until this is done. */
  while(work: () => Promise<unknown>): void {
    this.#closed = Promise.all([this.#closed, work().catch((error: unknown) => (this.#broken ??= asError(error)))]);
  }

  async open(): Promise<void> {
    await this.#closed;
  }

  /** @throws what a test's own work failed with: its fault, not the product's. */
  async expectWhole(): Promise<void> {
    await this.#closed;
    const broken = this.#broken;
    this.#broken = undefined;
    if (broken !== undefined) throw broken;
  }

  /** Real SSH servers behind this gate. */
  get provider(): Provider<OpenServer> {
    return provide(PART.openServer, () => async ({ name, connect }, privateKey) => {
      if (connect.type !== "ssh") throw new Error("test hosts are reached over SSH");
      return new GatedServer(this, { name, ...connect, privateKey: await privateKey() });
    });
  }
}

class GatedServer extends SshServer {
  readonly #gate: Gate;

  constructor(gate: Gate, options: ConstructorParameters<typeof SshServer>[0]) {
    super(options);
    this.#gate = gate;
  }

  override async run(command: Command): Promise<CommandResult> {
    await this.#gate.open();
    return super.run(command);
  }

  override async forward(address: SocketAddress): Promise<Duplex> {
    await this.#gate.open();
    return super.forward(address);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
