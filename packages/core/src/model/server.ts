import type { Duplex, Readable, Writable } from "node:stream";

/** A command as argv: never a shell string. */
export interface Command {
  readonly argv: readonly string[];
  /** Bytes for its standard input; a secret travels here and nowhere else. */
  readonly stdin?: string | Uint8Array | Readable;
  /** Environment added to the login's. Never holds secrets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Unix user to run as; default root. */
  readonly user?: string;
  readonly cwd?: string;
  /** Milliseconds until the remote process group gets SIGTERM, then SIGKILL 5 s later; default 60,000. */
  readonly timeoutMs?: number;
  /**
   * Takes the output as it comes, and is not ended; `stdout` of the result is then empty. A slow taker slows the command
   * down. Default: the output is kept.
   */
  readonly stdout?: Writable;
  /** Output kept of each stream in bytes, the rest is counted and dropped; default 16 MiB, of stderr never above 1 MiB. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal;
}

/** The same shape whether it went well or not. */
export interface CommandResult {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  /** stdout or stderr was longer than what is kept of it. */
  readonly truncated: boolean;
}

/** A fixed POSIX sh program with arguments; data comes by stdin or args, never spliced into `script`. */
export interface Script extends Omit<Command, "argv"> {
  readonly script: string;
  readonly args?: readonly string[];
}

/** Where a forwarded stream ends, as seen from the server. */
export type SocketAddress =
  | {
      readonly path: string;
      /** Unix user that the other end sees and judges as its peer; default: the login. Another one costs a process there. */
      readonly user?: string;
    }
  | { readonly host: string; readonly port: number };

/** Counts since the server was opened; tests assert them. */
export interface ServerStats {
  /** Connections ever opened (1 unless it was lost). */
  readonly connections: number;
  /** Commands and scripts run: each is one round trip. */
  readonly roundTrips: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/**
 * A machine that commands run on: this one, or one over SSH. Public methods validate, count and turn failures into coded
 * errors; the protected ones work. Needs sshd, systemd, sh, tar, util-linux and coreutils there; no agent.
 */
export abstract class Server {
  readonly name: string;

  protected constructor(name: string) {
    this.name = name;
  }

  abstract readonly stats: ServerStats;

  /**
   * Runs a command and gives its result, whatever its exit code.
   * @throws HW_SSH_UNREACHABLE, HW_SSH_HOST_KEY, HW_SSH_AUTH (nothing was run), HW_SSH_LOST (it may have run).
   */
  abstract run(command: Command): Promise<CommandResult>;

  /** Runs a script as `sh -c SCRIPT sh ARGS`, as `run` does. */
  abstract script(script: Script): Promise<CommandResult>;

  /** A byte stream to a socket on the server; its own file permissions judge (the peer is the login user). */
  abstract forward(address: SocketAddress): Promise<Duplex>;

  abstract close(): Promise<void>;
}
