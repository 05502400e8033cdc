import type { Duplex } from "node:stream";
import type { Command, CommandResult, Script, ServerStats, SocketAddress } from "../model/server.ts";
import { Server } from "../model/server.ts";
import type { HostwrightError } from "../errors/hostwright-error.ts";
import { commandWords, scriptCommand } from "./command-wrapper.ts";
import { relay } from "./relay.ts";
import type { RunningProcess } from "./running-process.ts";
import type { SessionReaper } from "./session-reaper.ts";
import { Counts } from "./stats.ts";
import { supervise } from "./supervise.ts";
import { within } from "./within.ts";

/** What was started, or null when the signal came before anything was. */
export type Started = { readonly process: RunningProcess; readonly reaper: SessionReaper } | null;

/** For everything that runs to be stopped: SIGTERM, SIGKILL and what is asked of the server meanwhile. */
const CLOSE_MS = 20_000;

const NOTHING_RAN: CommandResult = {
  exitCode: null,
  signal: null,
  stdout: Buffer.alloc(0),
  stderr: "",
  timedOut: false,
  aborted: true,
  truncated: false,
};

/** What all servers that run commands have in common: validation, counting, supervision, closing. */
export abstract class CommandServer extends Server {
  protected readonly counts: Counts = new Counts();
  readonly #closing = new AbortController();
  readonly #work = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  get stats(): ServerStats {
    return this.counts.snapshot();
  }

  /** How long what is over at once there may take. */
  protected get _graceMs(): number {
    return 5000;
  }

  /** Unix user that forwarded sockets see. */
  protected abstract get _login(): string;
  /** Starts the command's words. The signal ends the wait for a place, not the command. */
  protected abstract _start(command: Command, words: readonly string[], signal: AbortSignal): Promise<Started>;
  /** Runs the command of a forward that shows another user: it lasts as long as the forward. */
  protected _relay(command: Command): Promise<CommandResult> {
    return this.run(command);
  }

  /** The signal says that the server is being closed. */
  protected abstract _forward(address: SocketAddress, signal: AbortSignal): Promise<Duplex>;
  /** Called once, when no command runs any longer, or the server does not say so in time: nothing may wait after it. */
  protected abstract _close(): Promise<void>;
  /** What work that was under way when the server was closed is told. */
  protected abstract _closedError(): HostwrightError;

  run(command: Command): Promise<CommandResult> {
    return this.#track(this.#run(command));
  }

  script(script: Script): Promise<CommandResult> {
    return this.run(scriptCommand(script));
  }

  async forward(address: SocketAddress): Promise<Duplex> {
    this.#checkOpen();
    if ("path" in address && address.user !== undefined && address.user !== this._login) {
      const { path, user } = address;
      return relay(this.name, { path, user }, async (command) => this._relay(command));
    }
    this.counts.roundTrips += 1;
    return this.#track(this._forward(address, this.#closing.signal));
  }

  /** Stops what runs, and lets go of everything, in bounded time. Work under way is rejected. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await within(CLOSE_MS, Promise.allSettled(this.#work));
    await this._close();
  }

  async #run(command: Command): Promise<CommandResult> {
    const words = commandWords(command);
    this.#checkOpen();
    if (command.signal?.aborted === true) return NOTHING_RAN;
    const waiting = new AbortController();
    const leave = (): void => waiting.abort();
    const signals = [command.signal, this.#closing.signal].filter((signal) => signal !== undefined);
    for (const signal of signals) signal.addEventListener("abort", leave, { once: true });
    let result = NOTHING_RAN;
    try {
      const started = await this._start(command, words, waiting.signal);
      if (started !== null) {
        this.counts.roundTrips += 1;
        const supervision = {
          server: this.name,
          reaper: started.reaper,
          graceMs: this._graceMs,
          signal: command.signal,
          closing: this.#closing.signal,
        };
        result = await supervise(started.process, command, supervision);
      }
    } finally {
      for (const signal of signals) signal.removeEventListener("abort", leave);
    }
    if (result.aborted && this.#closing.signal.aborted) throw this._closedError();
    return result;
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw this._closedError();
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work);
    const forget = (): void => void this.#work.delete(work);
    work.then(forget, forget);
    return work;
  }
}
