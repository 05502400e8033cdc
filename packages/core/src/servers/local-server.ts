import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { userInfo } from "node:os";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import type { Command, SocketAddress } from "../model/server.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import { LOCALE, wrapped } from "./command-wrapper.ts";
import { CommandServer, type Started } from "./command-server.ts";
import { harmless } from "./harmless.ts";
import { LocalProcess, NeverStarted } from "./local-process.ts";
import { REAP, SessionReaper } from "./session-reaper.ts";
import { nothingAnswers, showAddress } from "./socket-errors.ts";
import { within } from "./within.ts";

const run = promisify(execFile);
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Whoever listens there may be stuck, with its queue full. */
const CONNECT_MS = 30_000;
/** For a look at the processes of this machine, through sudo. */
const REAP_MS = 20_000;
/** Exit codes of a shell for a program that it cannot find or may not execute. */
const EXIT_CODES: Readonly<Record<string, readonly [number, string]>> = {
  ENOENT: [127, "not found"],
  ENOTDIR: [127, "not found"],
  EACCES: [126, "Permission denied"],
  ENOEXEC: [126, "Exec format error"],
};

/** What a login has; the hub's own environment may hold secrets and is nobody's business. */
function loginEnvironment(): Record<string, string> {
  const { username, homedir, shell } = userInfo();
  return { PATH, HOME: homedir, USER: username, LOGNAME: username, SHELL: shell ?? "/bin/sh", LC_ALL: LOCALE };
}

/**
 * This machine. Commands run as the hub's own user, as root where that is asked for and the hub is not root through
 * sudo, and in sessions of their own: a Ctrl-C at the hub's terminal does not reach them.
 */
export class LocalServer extends CommandServer {
  readonly #login: Readonly<Record<string, string>> = loginEnvironment();
  readonly #sockets = new Set<Socket>();
  readonly #reaper: SessionReaper = this.#makeReaper(false);
  readonly #sudoReaper: SessionReaper = this.#makeReaper(true);

  constructor(name = "local") {
    super(name);
    this.counts.connections = 1;
  }

  protected override get _login(): string {
    return this.#login["USER"] ?? "";
  }

  protected override async _start(command: Command, words: readonly string[]): Promise<Started> {
    const self = this.#login["USER"] ?? "";
    const { user = self } = command;
    const become = user !== self;
    const sudo = become && self !== "root";
    const argv = become ? wrapped(words, { user, sudo }) : words;
    const input = command.stdin !== undefined;
    const [program = "", ...args] = argv;
    try {
      const child = spawn(program, args, {
        detached: true,
        stdio: [input ? "pipe" : "ignore", "pipe", "pipe"],
        env: this.#login,
      });
      const process = new LocalProcess(child, become);
      await once(child, "spawn");
      child.on("error", () => {});
      child.once("close", () => this.#countBytes(child));
      return { process, reaper: sudo ? this.#sudoReaper : this.#reaper };
    } catch (error) {
      return { process: this.#neverStarted(program, error), reaper: this.#reaper };
    }
  }

  protected override async _forward(address: SocketAddress, signal: AbortSignal): Promise<Duplex> {
    const socket = harmless(connect("path" in address ? { path: address.path } : { ...address, noDelay: true }));
    try {
      await once(socket, "connect", { signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]) });
    } catch (error) {
      socket.destroy();
      if (signal.aborted) throw this._closedError();
      throw this.#forwardError(address, error);
    }
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.counts.bytesSent += socket.bytesWritten;
      this.counts.bytesReceived += socket.bytesRead;
    });
    return socket;
  }

  protected override async _close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
  }

  protected override _closedError(): HostwrightError {
    return new HostwrightError("HW_CANCELLED", `${this.name} was closed here. What ran there was stopped.`, {
      server: this.name,
    });
  }

  #neverStarted(program: string, error: unknown): NeverStarted {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const known = EXIT_CODES[code];
    if (known !== undefined) return new NeverStarted(known[0], `sh: ${program}: ${known[1]}`);
    const tooLong = code === "E2BIG";
    throw new HostwrightError(
      tooLong ? "HW_INPUT_INVALID" : "HW_COMMAND_FAILED",
      `${program} could not be started on ${this.name} (${code}).`,
      {
        server: this.name,
        cause: error,
        ...(tooLong ? { remedy: "Send long data by stdin." } : {}),
      },
    );
  }

  #makeReaper(sudo: boolean): SessionReaper {
    return new SessionReaper(async (requests) => {
      const argv = [...(sudo ? ["sudo", "-n", "--"] : []), "sh", "-c", REAP, "sh", ...requests];
      const asked = run(argv[0] ?? "", argv.slice(1), { env: this.#login, timeout: REAP_MS, killSignal: "SIGKILL" });
      // One that waits for a disk does not die of SIGKILL either.
      const answer = await within(
        2 * REAP_MS,
        asked.catch((cause: unknown) => ({ cause })),
      );
      if (answer !== undefined && "stdout" in answer) return answer.stdout;
      throw new HostwrightError(
        "HW_COMMAND_TIMEOUT",
        `A command on ${this.name} could not be stopped. It may still run.`,
        {
          server: this.name,
          retryable: true,
          cause: answer?.cause,
        },
      );
    });
  }

  #countBytes({ stdio: [stdin, stdout, stderr] }: ChildProcess): void {
    // Pipes of a child are sockets here, and count for themselves.
    this.counts.bytesSent += (stdin as Socket | null)?.bytesWritten ?? 0;
    this.counts.bytesReceived +=
      ((stdout as Socket | null)?.bytesRead ?? 0) + ((stderr as Socket | null)?.bytesRead ?? 0);
  }

  #forwardError(address: SocketAddress, cause: unknown): HostwrightError {
    if ((cause as NodeJS.ErrnoException).code !== "EACCES") return nothingAnswers(this.name, address, cause);
    return new HostwrightError(
      "HW_PERMISSION_DENIED",
      `Access to ${showAddress(address)} on ${this.name} was refused.`,
      { server: this.name, cause, data: { address } },
    );
  }
}
