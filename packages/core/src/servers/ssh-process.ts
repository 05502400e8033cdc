import type { ClientChannel } from "ssh2";
import type { Ending, RunningProcess } from "./running-process.ts";
import { SessionMarker } from "./session-marker.ts";
import { connectionLost } from "./ssh-errors.ts";

/** A command on an exec channel, started by the wrapper. */
export class SshProcess implements RunningProcess {
  readonly stdin: ClientChannel | null;
  readonly session: Promise<number | null>;
  readonly ended: Promise<Ending>;
  readonly #channel: ClientChannel;
  readonly #marker = new SessionMarker();
  #stdout: (chunk: Buffer) => void = () => {};

  constructor(
    channel: ClientChannel,
    options: { readonly server: string; readonly input: boolean; readonly isLost: () => boolean },
  ) {
    this.#channel = channel;
    this.session = this.#marker.session;
    this.ended = this.#ending(options.server, options.isLost);
    this.ended.catch(() => {});
    this.stdin = options.input ? channel : null;
    if (!options.input) channel.end();
  }

  onOutput(stdout: (chunk: Buffer) => void, stderr: (chunk: Buffer) => void): void {
    this.#stdout = stdout;
    this.#channel.on("data", (chunk: Buffer) => stdout(this.#marker.take(chunk)));
    this.#channel.stderr.on("data", stderr);
  }

  pause(): void {
    this.#channel.pause();
  }

  resume(): void {
    this.#channel.resume();
  }

  release(): void {
    // Whoever took the output has their result.
    this.#channel.removeAllListeners("data");
    this.#channel.stderr.removeAllListeners("data");
    this.#channel.destroy();
    this.#channel.resume();
    this.#channel.stderr.resume();
  }

  async #ending(server: string, isLost: () => boolean): Promise<Ending> {
    const ended = Promise.withResolvers<Ending | null>();
    const errorsRead = Promise.withResolvers<void>();
    this.#channel.stderr.once("end", () => errorsRead.resolve());
    this.#channel.once("close", (code?: number | null, signal?: string) => {
      const lost = isLost() || (code === undefined && signal === undefined);
      ended.resolve(lost ? null : { exitCode: code ?? null, signal: signal ?? null });
    });
    const ending = await ended.promise;
    await errorsRead.promise;
    this.#stdout(this.#marker.end());
    if (ending === null) throw connectionLost(server, "while a command ran; what it did is unknown");
    return ending;
  }
}
