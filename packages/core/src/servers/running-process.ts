import type { Writable } from "node:stream";

export interface Ending {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A command at work, here or over SSH. */
export interface RunningProcess {
  /** Null when the command gets no input. */
  readonly stdin: Writable | null;
  /** The session that all of it runs in; null when it ended without telling. */
  readonly session: Promise<number | null>;
  /** Resolves when it ended and its output was delivered. @throws HW_SSH_LOST */
  readonly ended: Promise<Ending>;
  /** Starts the flow of output. */
  onOutput(stdout: (chunk: Buffer) => void, stderr: (chunk: Buffer) => void): void;
  /** Output waits until it is resumed. */
  pause(): void;
  resume(): void;
  /** Lets go of the pipes or the channel, whatever still holds their other end. */
  release(): void;
}
