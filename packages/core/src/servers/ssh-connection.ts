import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Client, ClientChannel } from "ssh2";
import type { SocketAddress } from "../contracts/server.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { Semaphore } from "./semaphore.ts";
import { connectionLost } from "./ssh-errors.ts";
import type { Connected } from "./ssh-connect.ts";

/** sshd's MaxSessions is 10 as shipped; what is left serves the reaper, and others are never kept waiting by it. */
const SESSIONS = 6;
/** Forwards are no sessions to sshd. They are held long (a database client), so that commands must not wait for them. */
const FORWARDS = 32;
/** SSH_OPEN_CONNECT_FAILED: too many sessions, or nothing listens at a forward's end. */
const OPEN_FAILED = 2;
const OPEN_TRIES = 8;
const FIRST_BACKOFF_MS = 25;
const GOODBYE_MS = 1000;
const ANSWER_MS = 30_000;

type Callback<T> = (error: Error | undefined, value: T) => void;

/** Nothing was sent to the server, so that a new connection may simply be used instead. */
export class NotSent extends Error {}

/** One open connection with a bounded number of channels. Never reopened: a lost one is replaced. */
export class SshConnection {
  readonly #server: string;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #sessions = new Semaphore(SESSIONS);
  readonly #forwards = new Semaphore(FORWARDS);
  #lost = false;

  constructor(server: string, { client, socket }: Connected) {
    this.#server = server;
    this.#client = client;
    this.#socket = socket;
    this.#lost = socket.destroyed;
    // First of the listeners: whatever ssh2 then tells its channels, the loss is known.
    socket.prependOnceListener("close", () => (this.#lost = true));
    socket.prependOnceListener("end", () => (this.#lost = true));
  }

  get lost(): boolean {
    return this.#lost;
  }

  get bytes(): { readonly sent: number; readonly received: number } {
    return { sent: this.#socket.bytesWritten, received: this.#socket.bytesRead };
  }

  /** A channel that runs a command line; null when the signal came first. @throws NotSent, HW_SSH_LOST */
  async exec(line: string, signal: AbortSignal): Promise<ClientChannel | null> {
    const release = await this.#sessions.acquire(signal);
    if (release === null) return null;
    try {
      const channel = await this.#exec(line, signal);
      channel.once("close", release);
      return channel;
    } catch (error) {
      release();
      if (signal.aborted && error instanceof NotSent) return null;
      throw error;
    }
  }

  /** Runs a command line beside the bounded ones and gives its standard output. */
  async execApart(line: string): Promise<string> {
    const channel = await this.#exec(line, new AbortController().signal).catch((error: unknown) => {
      throw error instanceof NotSent ? connectionLost(this.#server, "while a command was being stopped", error) : error;
    });
    channel.on("error", () => {});
    channel.stderr.resume();
    const output: Buffer[] = [];
    channel.on("data", (chunk: Buffer) => output.push(chunk));
    channel.end();
    const exitCode = await new Promise((resolve) => channel.once("close", resolve));
    if (this.#lost || exitCode !== 0)
      throw connectionLost(this.#server, "while a command was being stopped; it may still run");
    return Buffer.concat(output).toString("latin1");
  }

  /** A channel to a socket; null when the signal came first. @throws NotSent, HW_SOCKET_UNREACHABLE, HW_PERMISSION_DENIED */
  async forward(address: SocketAddress, signal: AbortSignal): Promise<ClientChannel | null> {
    const release = await this.#forwards.acquire(signal);
    if (release === null) return null;
    try {
      const channel = await this.#open<ClientChannel>((done) => {
        if ("path" in address) this.#client.openssh_forwardOutStreamLocal(address.path, done);
        else this.#client.forwardOut("127.0.0.1", 0, address.host, address.port, done);
      });
      channel.once("close", release);
      // A channel tells of its end only who has read up to it: whoever gives it up before gives the place back as well.
      const destroy = channel.destroy.bind(channel);
      channel.destroy = () => {
        release();
        return destroy();
      };
      return channel;
    } catch (error) {
      release();
      throw this.#lost ? new NotSent("connection lost", { cause: error }) : forwardError(this.#server, address, error);
    }
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
        return await this.#open<ClientChannel>((done) => this.#client.exec(line, done));
      } catch (error) {
        if (this.#lost) throw lostOnOpen(this.#server, error);
        if ((error as { reason?: unknown }).reason !== OPEN_FAILED) throw sessionRefused(this.#server, error);
        if (tries === OPEN_TRIES) throw sessionRefused(this.#server, error);
        if (signal.aborted) throw new NotSent("aborted", { cause: error });
        await delay(FIRST_BACKOFF_MS * 2 ** (tries - 1), undefined, { signal }).catch(() => {});
      }
    }
  }

  #open<T>(open: (done: Callback<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      // sshd answers at once, yes or no: one that does not is as good as gone, and would be waited for without end.
      const timer = setTimeout(() => this.#socket.destroy(), ANSWER_MS);
      try {
        open((error, value) => {
          clearTimeout(timer);
          if (error) reject(error);
          else resolve(value);
        });
      } catch (error) {
        clearTimeout(timer);
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

function sessionRefused(server: string, cause: unknown): HostwrightError {
  return new HostwrightError(
    "HW_PERMISSION_DENIED",
    `${server} gives no session for a command (${(cause as Error).message}); nothing was run`,
    {
      server,
      retryable: true,
      cause,
      mend: "Check sshd's MaxSessions (10 is its default), and that the key may run commands.",
    },
  );
}

function forwardError(server: string, address: SocketAddress, cause: unknown): HostwrightError {
  const where = "path" in address ? address.path : `${address.host} port ${address.port}`;
  if ((cause as { reason?: unknown }).reason === OPEN_FAILED) {
    return new HostwrightError("HW_SOCKET_UNREACHABLE", `nothing answers at ${where} on ${server}`, {
      server,
      retryable: true,
      cause,
      data: { address },
    });
  }
  return new HostwrightError("HW_PERMISSION_DENIED", `sshd on ${server} does not forward to ${where}`, {
    server,
    cause,
    mend: "Allow it in sshd_config: AllowTcpForwarding and AllowStreamLocalForwarding.",
    data: { address },
  });
}
