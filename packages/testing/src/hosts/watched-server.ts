import {
  HostwrightError,
  Server,
  type Command,
  type CommandResult,
  type Script,
  type ServerStats,
  type SocketAddress,
} from "@hostwright/core/plugin";
import { Duplex } from "node:stream";

/**
 * A server with an observer in between: it counts, remembers what was sent as arguments, and cuts the line for good at one
 * of its boundaries (before a command, behind it, before each of a stream's requests, and behind it), as a crash would.
 */
export class WatchedServer extends Server {
  readonly #server: Server;
  readonly #cutAt: number;
  readonly #streams = new Set<Duplex>();
  /** Words of all commands, with their environments: what other users of the server may see. */
  readonly words: string[] = [];
  /** Commands and a stream's requests: each waits for an answer once. */
  roundTrips = 0;
  boundaries = 0;

  constructor(server: Server, cutAt: number = Number.POSITIVE_INFINITY) {
    super(server.name);
    this.#server = server;
    this.#cutAt = cutAt;
  }

  get stats(): ServerStats {
    return this.#server.stats;
  }

  get cut(): boolean {
    return this.boundaries > this.#cutAt;
  }

  async run(command: Command): Promise<CommandResult> {
    this.words.push(...command.argv, ...Object.values(command.env ?? {}));
    return this.#between(async () => this.#server.run(command));
  }

  async script(script: Script): Promise<CommandResult> {
    this.words.push(script.script, ...(script.args ?? []), ...Object.values(script.env ?? {}));
    return this.#between(async () => this.#server.script(script));
  }

  async forward(address: SocketAddress): Promise<Duplex> {
    let inner: Duplex | undefined;
    try {
      inner = await this.#between(async () => (inner = await this.#server.forward(address)));
    } catch (error) {
      inner?.destroy();
      throw error;
    }
    return this.#watched(inner);
  }

  #watched(inner: Duplex): Duplex {
    let asking = false;
    const outer: Duplex = new Duplex({
      read: () => void inner.resume(),
      write: (chunk: Uint8Array, _encoding, done) => {
        if (!asking) {
          this.roundTrips += 1;
          if (this.#passes()) return done(this.#lost());
        }
        asking = true;
        inner.write(chunk, () => done());
      },
      final: (done) => void inner.end(() => done()),
      destroy: (error, done) => {
        this.#streams.delete(outer);
        inner.destroy();
        done(error);
      },
    });
    inner.on("data", (chunk: Uint8Array) => {
      // The answer was given, and nobody hears it.
      if (asking && this.#passes()) return;
      asking = false;
      if (!outer.push(chunk)) inner.pause();
    });
    inner.on("end", () => outer.push(null));
    inner.on("error", (error) => outer.destroy(error));
    inner.on("close", () => outer.destroy());
    this.#streams.add(outer);
    return outer;
  }

  /** The server itself stays open: it is its owner's. */
  async close(): Promise<void> {
    for (const stream of this.#streams) stream.destroy();
  }

  async #between<T>(work: () => Promise<T>): Promise<T> {
    this.roundTrips += 1;
    if (this.#passes()) throw this.#lost();
    const result = await work();
    if (this.#passes()) throw this.#lost();
    return result;
  }

  /** Is this where the line is cut, or was it before? */
  #passes(): boolean {
    this.boundaries += 1;
    if (!this.cut) return false;
    for (const stream of this.#streams) stream.destroy(this.#lost());
    return true;
  }

  #lost(): HostwrightError {
    return new HostwrightError("HW_SSH_LOST", `The line to ${this.name} was cut by the test.`, { server: this.name });
  }
}
