import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Client, ClientChannel } from "ssh2";
import type { SocketAddress } from "../model/server.ts";
import { isHostwrightError } from "../errors/hostwright-error.ts";
import { boundChannel } from "./bounded-channel.ts";
import { BoundedOutput } from "./bounded-output.ts";
import { harmless } from "./harmless.ts";
import { Hold } from "./hold.ts";
import { keepAlive } from "./keep-alive.ts";
import { Semaphore } from "./semaphore.ts";
import { nothingAnswers } from "./socket-errors.ts";
import { connectionLost, forwardError, OPEN_FAILED, sessionRefused } from "./ssh-errors.ts";
import type { Connected } from "./ssh-connect.ts";
import { within } from "./within.ts";

/** sshd's MaxSessions is 10 as shipped; what is left serves the reaper, and others are never kept waiting by it. */
const SESSIONS = 6;
/** Forwards are no sessions to sshd. They are held long (a database client), so that commands must not wait for them. */
const FORWARDS = 32;
const OPEN_TRIES = 8;
const FIRST_BACKOFF_MS = 25;
const GOODBYE_MS = 1000;
/** Ids of sessions: a few a line. */
const APART_BYTES = 64 * 1024;

type Callback<T> = (error: Error | undefined, value: T) => void;

/** Nothing was sent to the server, so that a new connection may simply be used instead. */
export class NotSent extends Error {}

/**
 * One open connection with a bounded number of channels. Never reopened: a lost one is replaced, and so is one that has a
 * channel which the server does not let go. That one takes nothing new, and ends when nothing runs there any longer.
 */
export class SshConnection {
  readonly #server: string;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #sessions = new Semaphore(SESSIONS);
  readonly #forwards = new Semaphore(FORWARDS);
  readonly #answerMs: number;
  /** An idle connection is no reason for the process to go on. */
  readonly #hold: Hold;
  /** Channels whose users still want them. */
  readonly #inUse = new Set<ClientChannel>();
  #lost = false;
  #retired = false;

  /** `answerMs`: for what sshd answers at once, yes or no. One that does not is as good as gone. */
  constructor(server: string, { client, socket }: Connected, answerMs: number) {
    this.#server = server;
    this.#answerMs = answerMs;
    this.#client = client;
    this.#socket = socket;
    this.#lost = socket.destroyed;
    this.#hold = new Hold(socket);
    keepAlive(client, socket);
    // First of the listeners: whatever ssh2 then tells its channels, the loss is known.
    socket.prependOnceListener("close", () => (this.#lost = true));
    socket.prependOnceListener("end", () => (this.#lost = true));
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Fit for new work. */
  get fit(): boolean {
    return !this.#lost && !this.#retired;
  }

  get bytes(): { readonly sent: number; readonly received: number } {
    return { sent: this.#socket.bytesWritten, received: this.#socket.bytesRead };
  }

  /** A channel that runs a command line; null when the signal came first. @throws NotSent, HW_SSH_LOST */
  async exec(line: string, signal: AbortSignal): Promise<ClientChannel | null> {
    const release = await this.#place(this.#sessions, signal);
    if (release === null) return this.#sentAway(signal);
    try {
      return this.#lend(await this.#exec(line, signal), "session", release);
    } catch (error) {
      release();
      if (signal.aborted && error instanceof NotSent) return null;
      throw error;
    }
  }

  /** Runs a command line beside the bounded ones and gives its standard output. @throws HW_SSH_LOST */
  async execApart(line: string): Promise<string> {
    const channel = await this.#exec(line, new AbortController().signal).catch((error: unknown) => {
      throw error instanceof NotSent ? connectionLost(this.#server, "while a command was being stopped", error) : error;
    });
    harmless(channel).stderr.resume();
    const output = new BoundedOutput(APART_BYTES);
    channel.on("data", (chunk: Buffer) => output.add(chunk));
    channel.end();
    const exitCode = await within(this.#answerMs, new Promise((resolve) => channel.once("close", resolve)));
    // A server that answers this no longer stops nothing, and tells nobody of its end: whoever waits there is to know.
    if (exitCode === undefined) this.#socket.destroy();
    if (this.#lost || exitCode !== 0)
      throw connectionLost(this.#server, "while a command was being stopped; it may still run");
    return output.bytes().toString("latin1");
  }

  /** A channel to a socket; null when the signal came first. @throws NotSent, HW_SOCKET_UNREACHABLE, HW_PERMISSION_DENIED */
  async forward(address: SocketAddress, signal: AbortSignal): Promise<ClientChannel | null> {
    const release = await this.#place(this.#forwards, signal);
    if (release === null) return this.#sentAway(signal);
    try {
      const opening = this.#open<ClientChannel>((done) => {
        if ("path" in address) this.#client.openssh_forwardOutStreamLocal(address.path, done);
        else this.#client.forwardOut("127.0.0.1", 0, address.host, address.port, done);
      });
      const channel = await within(this.#answerMs, opening);
      // sshd waits for whoever listens there, who may be stuck: that is no fault of the connection.
      if (channel === undefined) {
        void opening.then((late) => late.destroy()).catch(() => undefined);
        throw nothingAnswers(this.#server, address, new Error("it was waited for in vain"));
      }
      return this.#lend(channel, "forward", release);
    } catch (error) {
      release();
      if (this.#lost) throw new NotSent("connection lost", { cause: error });
      throw isHostwrightError(error) ? error : forwardError(this.#server, address, error);
    }
  }

  /**
   * A channel has its place until the server has let it go; a forward that is given up, only until then: it tells of its
   * end only who has read up to it, and is no session to sshd.
   */
  #lend(channel: ClientChannel, kind: "session" | "forward", release: () => void): ClientChannel {
    boundChannel(harmless(channel), this.#socket);
    let closed = false;
    let late: NodeJS.Timeout | undefined;
    const giveUp = (): void => {
      this.#inUse.delete(channel);
      this.#endIfUnused();
    };
    this.#inUse.add(channel);
    channel.once("close", () => {
      closed = true;
      clearTimeout(late);
      release();
      giveUp();
    });
    const destroy = channel.destroy.bind(channel);
    channel.destroy = () => {
      destroy();
      if (kind === "forward") release();
      else if (!closed) late ??= setTimeout(() => this.#retire(), this.#answerMs).unref();
      giveUp();
      return channel;
    };
    return channel;
  }

  async #place(places: Semaphore, signal: AbortSignal): Promise<(() => void) | null> {
    const place = await places.acquire(signal);
    if (place === null) return null;
    const letGo = this.#hold.take();
    return () => {
      place();
      letGo();
    };
  }

  #sentAway(signal: AbortSignal): null {
    if (signal.aborted) return null;
    throw new NotSent("another connection takes its place");
  }

  #retire(): void {
    this.#retired = true;
    this.#sessions.close();
    this.#forwards.close();
    this.#endIfUnused();
  }

  #endIfUnused(): void {
    if (this.#retired && this.#inUse.size === 0) void this.end();
  }

  /** Ends politely, within a second. */
  async end(): Promise<void> {
    if (this.#socket.destroyed) return;
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#client.end();
    const timer = setTimeout(() => this.#socket.destroy(), GOODBYE_MS);
    await closed;
    clearTimeout(timer);
  }

  /** MaxSessions may be smaller than SESSIONS: then a channel is had when another has closed. */
  async #exec(line: string, signal: AbortSignal): Promise<ClientChannel> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#answered((done) => this.#client.exec(line, done));
      } catch (error) {
        if (this.#lost) throw lostOnOpen(this.#server, error);
        if ((error as { reason?: unknown }).reason !== OPEN_FAILED) throw sessionRefused(this.#server, error);
        if (tries === OPEN_TRIES) throw sessionRefused(this.#server, error);
        if (signal.aborted) throw new NotSent("aborted", { cause: error });
        await delay(FIRST_BACKOFF_MS * 2 ** (tries - 1), undefined, { signal }).catch(() => {});
      }
    }
  }

  async #answered(open: (done: Callback<ClientChannel>) => void): Promise<ClientChannel> {
    const timer = setTimeout(() => this.#socket.destroy(), this.#answerMs);
    try {
      return await this.#open(open);
    } finally {
      clearTimeout(timer);
    }
  }

  #open<T>(open: (done: Callback<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      try {
        open((error, value) => {
          if (error) reject(error);
          else resolve(value);
        });
      } catch (error) {
        // ssh2 throws "Not connected" for a socket that closed this very moment.
        this.#lost = true;
        reject(new NotSent("not connected", { cause: error }));
      }
    });
  }
}

/** ssh2 says "Unable to exec" once the command was sent; before, the channel itself was what failed. */
function lostOnOpen(server: string, error: unknown): Error {
  if (error instanceof NotSent) return error;
  if (error instanceof Error && error.message === "Unable to exec") {
    return connectionLost(server, "when a command was sent; whether it ran is unknown", error);
  }
  return new NotSent("connection lost", { cause: error });
}
