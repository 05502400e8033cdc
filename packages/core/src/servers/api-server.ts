import { HostwrightError } from "../errors/hostwright-error.ts";
import { Server, type ServerStats } from "../model/server.ts";

/**
 * An API without a machine: a name server's, a store's, a cloud's. Resource types that are made for it reach it with its
 * credentials; whatever wants to run something is refused.
 */
export class ApiServer extends Server {
  readonly stats: ServerStats = { connections: 0, roundTrips: 0, bytesSent: 0, bytesReceived: 0 };

  // oxlint-disable-next-line no-useless-constructor -- that of a server is protected
  constructor(name: string) {
    super(name);
  }

  async run(): Promise<never> {
    throw this.#noMachine();
  }

  async script(): Promise<never> {
    throw this.#noMachine();
  }

  async forward(): Promise<never> {
    throw this.#noMachine();
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }

  #noMachine(): HostwrightError {
    return new HostwrightError(
      "HW_HOST_UNSUPPORTED",
      `${this.name} is an API without a machine: nothing can run there. Nothing was changed.`,
      { server: this.name, remedy: "Put the service on the record of a machine." },
    );
  }
}
