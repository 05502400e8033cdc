import type { ChildProcess } from "node:child_process";
import type { Writable } from "node:stream";
import type { Ending, RunningProcess } from "./running-process.ts";
import { SessionMarker } from "./session-marker.ts";

/** A command as a child process that leads a session of its own. */
export class LocalProcess implements RunningProcess {
  readonly stdin: Writable | null;
  readonly session: Promise<number | null>;
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #marker: SessionMarker | null;

  /** `wrapped`: the wrapper tells the session, for sudo stands between. */
  constructor(child: ChildProcess, wrapped: boolean) {
    this.#child = child;
    this.stdin = child.stdin;
    this.#marker = wrapped ? new SessionMarker() : null;
    this.session = this.#marker?.session ?? Promise.resolve(child.pid ?? null);
    this.ended = new Promise((resolve) => {
      child.once("close", (exitCode, signal) => resolve({ exitCode, signal }));
    });
  }

  onOutput(stdout: (chunk: Buffer) => void, stderr: (chunk: Buffer) => void): void {
    const marker = this.#marker;
    this.#child.stdout?.on("data", (chunk: Buffer) => stdout(marker?.take(chunk) ?? chunk));
    this.#child.stdout?.once("end", () => marker !== null && stdout(marker.end()));
    this.#child.stderr?.on("data", stderr);
  }

  pause(): void {
    this.#child.stdout?.pause();
  }

  resume(): void {
    this.#child.stdout?.resume();
  }

  release(): void {
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#child.unref();
  }
}

/** What a shell says of a program that cannot be started, so that it looks the same on every server. */
export class NeverStarted implements RunningProcess {
  readonly stdin = null;
  readonly session: Promise<null> = Promise.resolve(null);
  readonly ended: Promise<Ending>;
  readonly #message: string;

  constructor(exitCode: number, message: string) {
    this.#message = message;
    this.ended = Promise.resolve({ exitCode, signal: null });
  }

  onOutput(_stdout: (chunk: Buffer) => void, stderr: (chunk: Buffer) => void): void {
    stderr(Buffer.from(`${this.#message}\n`));
  }

  pause(): void {}

  resume(): void {}

  release(): void {}
}
