import type { Duplex } from "node:stream";
import type { Command, CommandResult, ServerStats, SocketAddress } from "../model/server.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Secret } from "../model/secret.ts";
import { wrapped } from "./command-wrapper.ts";
import { CommandServer, type Started } from "./command-server.ts";
import { quoteArgv } from "./quote-argv.ts";
import { REAP, SessionReaper } from "./session-reaper.ts";
import { connectSsh, type SshEndpoint } from "./ssh-connect.ts";
import { NotSent, SshConnection } from "./ssh-connection.ts";
import { connectionLost } from "./ssh-errors.ts";
import { SshRelays } from "./ssh-relays.ts";
import { SshProcess } from "./ssh-process.ts";

export interface SshServerOptions {
  readonly name: string;
  readonly host: string;
  /** Default 22. */
  readonly port?: number;
  /** Default root; any other login must be allowed to use sudo without a password. */
  readonly user?: string;
  /** "SHA256:..." as `ssh-keygen -l` prints it; a set, so that keys can be rotated (decisions.md D31). */
  readonly hostKeys: readonly string[];
  /** As a function it is asked for before each connection: a key that was changed meanwhile is used for the next one. */
  readonly privateKey: Secret | (() => Promise<Secret>);
  /** For connecting and logging in; default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds within which sshd answers what it can answer at once, else the connection is given up; default 20,000. */
  readonly answerTimeoutMs?: number;
}

/** The kernel's limit of one argument, and a login shell gets the whole line as one. */
const LONGEST_LINE = 128 * 1024 - 1;

interface Link {
  readonly connection: SshConnection;
  readonly reaper: SessionReaper;
}

/**
 * A machine over SSH: one connection, opened on first use and again after it was lost. Each command is one channel and
 * one round trip; no agent, no file and no process of ours stays behind.
 */
export class SshServer extends CommandServer {
  readonly #endpoint: Omit<SshEndpoint, "privateKey">;
  readonly #key: () => Promise<Secret>;
  readonly #sudo: boolean;
  readonly #answerMs: number;
  readonly #relays: SshRelays;
  readonly #leaving = new AbortController();
  #link: Promise<Link> | undefined;
  #current: SshConnection | undefined;
  /** Those that take nothing new, while something still runs there. */
  readonly #retired = new Set<SshConnection>();

  constructor(options: SshServerOptions) {
    super(options.name);
    const { port = 22, user = "root", connectTimeoutMs = 10_000, answerTimeoutMs = 20_000 } = options;
    const { privateKey } = options;
    this.#endpoint = { ...options, port, user, connectTimeoutMs };
    this.#key = typeof privateKey === "function" ? privateKey : async () => privateKey;
    this.#answerMs = answerTimeoutMs;
    this.#sudo = user !== "root";
    this.#relays = new SshRelays(() => new SshServer(options));
  }

  override get stats(): ServerStats {
    const open = this.#current?.bytes ?? { sent: 0, received: 0 };
    const own = { connections: 0, roundTrips: 0, bytesSent: open.sent, bytesReceived: open.received };
    return [own, ...this.#relays.stats].reduce(sum, super.stats);
  }

  protected override get _graceMs(): number {
    return Math.min(this.#answerMs, super._graceMs);
  }

  protected override get _login(): string {
    return this.#endpoint.user;
  }

  protected override async _start(command: Command, words: readonly string[], signal: AbortSignal): Promise<Started> {
    const line = `exec ${quoteArgv(wrapped(words, { user: command.user, sudo: this.#sudo }))}`;
    if (Buffer.byteLength(line) > LONGEST_LINE) {
      throw new HostwrightError(
        "HW_INPUT_INVALID",
        `A command for ${this.name} is longer than 128 KiB. Nothing was run.`,
        {
          server: this.name,
          remedy: "Send long data by stdin.",
        },
      );
    }
    return this.#retryUnsent(async ({ connection, reaper }) => {
      const channel = await connection.exec(line, signal);
      if (channel === null) return null;
      const process = new SshProcess(channel, {
        server: this.name,
        input: command.stdin !== undefined,
        isLost: () => connection.lost,
      });
      return { process, reaper };
    }, signal);
  }

  protected override async _forward(address: SocketAddress, signal: AbortSignal): Promise<Duplex> {
    const channel = await this.#retryUnsent(
      ({ connection }) => orAborted(connection.forward(address, signal), signal),
      signal,
    );
    if (channel === null) throw this._closedError();
    return channel;
  }

  protected override async _relay(command: Command): Promise<CommandResult> {
    return this.#relays.run(command);
  }

  protected override async _close(): Promise<void> {
    this.#leaving.abort();
    const link = await this.#link?.catch(() => undefined);
    const open = [...this.#retired, ...(link === undefined ? [] : [link.connection])];
    await Promise.all([this.#relays.close(), ...open.map(async (connection) => connection.end())]);
  }

  protected override _closedError(): HostwrightError {
    return connectionLost(this.name, "because it was closed here");
  }

  /** A connection can be found dead only by using it; as long as nothing was sent a new one serves as well. */
  async #retryUnsent<T>(use: (link: Link) => Promise<T>, signal: AbortSignal): Promise<T | null> {
    for (let tries = 1; ; tries += 1) {
      const link = await orAborted(this.#open(), signal);
      if (link === null) return null;
      try {
        return await use(link);
      } catch (error) {
        if (!(error instanceof NotSent)) throw error;
        if (tries === 2) throw connectionLost(this.name, "before anything was run", error);
      }
    }
  }

  async #open(): Promise<Link> {
    if (this.#current?.fit === false) {
      this.#replace(this.#current);
      this.#link = undefined;
    }
    this.#link ??= this.#connect().catch((error: unknown) => {
      this.#link = undefined;
      throw error;
    });
    return this.#link;
  }

  async #connect(): Promise<Link> {
    const connected = await connectSsh({ ...this.#endpoint, privateKey: await this.#key() }, this.#leaving.signal);
    const connection = new SshConnection(this.name, connected, this.#answerMs);
    this.counts.connections += 1;
    this.#current = connection;
    const become = this.#sudo ? ["sudo", "-n", "--"] : [];
    const reaper = new SessionReaper((requests) =>
      connection.execApart(`exec ${quoteArgv([...become, "sh", "-c", REAP, "sh", ...requests])}`),
    );
    return { connection, reaper };
  }

  /** Keeps the bytes of a connection that another one replaces. */
  #replace(connection: SshConnection): void {
    this.counts.bytesSent += connection.bytes.sent;
    this.counts.bytesReceived += connection.bytes.received;
    this.#current = undefined;
    for (const earlier of this.#retired) if (earlier.lost) this.#retired.delete(earlier);
    if (!connection.lost) this.#retired.add(connection);
  }
}

function sum(a: ServerStats, b: ServerStats): ServerStats {
  return {
    connections: a.connections + b.connections,
    roundTrips: a.roundTrips + b.roundTrips,
    bytesSent: a.bytesSent + b.bytesSent,
    bytesReceived: a.bytesReceived + b.bytesReceived,
  };
}

/** Waits no longer than the signal allows; what is waited for goes on, for others wait for it too. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const leave = (): void => resolve(null);
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave, { once: true });
  work.catch(() => {});
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
