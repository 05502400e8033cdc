import type { ExecResult } from "../hosts/host.ts";
import type { RunOptions } from "./run.ts";

/** A running host, in the hands of a test. */
export interface TestHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** In OpenSSH's format, made for this run alone. */
  readonly privateKey: string;
  /** "SHA256:..." of the host's own key. */
  readonly hostKey: string;
  /** The host's file tree as seen from this machine, running or not (without its /proc, /run, /tmp). */
  readonly root: string;
  readonly running: boolean;
  /** Runs a command as root, past SSH, and returns its outcome whatever its exit code. */
  exec(argv: readonly string[], options?: RunOptions): Promise<ExecResult>;
  /** The same for a shell script; throws when it fails, returns its output. */
  sh(script: string, options?: RunOptions): Promise<string>;
  /** Restarts the host's system, and returns when it answers again. */
  reboot(): Promise<void>;
  /** Waits until it answers again, after a reboot that something else asked for. */
  waitUntilUp(): Promise<void>;
  /** Ends everything at once, as a power failure does. start() brings it up again. */
  kill(): Promise<void>;
  /** As `kill`, and what was not synced before is lost as well; for hosts with an `ownDisk`. start() brings it up again. */
  losePower(): Promise<void>;
  /** Shuts down in an orderly way. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Takes all space left at a path of smallDisks until the returned thing is disposed. */
  fillDisk(path: string): Promise<AsyncDisposable>;
}
