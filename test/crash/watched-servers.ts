import type { Duplex } from "node:stream";
import { PART, provide, SshServer, type OpenServer, type Provider } from "@hostwright/core";
import { type Command, type CommandResult, type SocketAddress } from "@hostwright/core/plugin";
import { asker, type Step, type Tripwire } from "./tripwire.ts";

/** Real SSH servers, every round trip of which is a step: commands and scripts, and what is said over forwarded sockets. */
export function watchedServers(wire: Tripwire): Provider<OpenServer> {
  return provide(PART.openServer, () => async ({ name, connect }, privateKey) => {
    if (connect.type !== "ssh") throw new Error("test hosts are reached over SSH");
    return new WatchedServer(wire, { name, ...connect, privateKey: await privateKey() });
  });
}

type Started = Awaited<ReturnType<SshServer["_start"]>>;

class WatchedServer extends SshServer {
  readonly #wire: Tripwire;
  readonly #steps = new WeakMap<Command, Step>();

  constructor(wire: Tripwire, options: ConstructorParameters<typeof SshServer>[0]) {
    super(options);
    this.#wire = wire;
  }

  override async run(command: Command): Promise<CommandResult> {
    const step = this.#wire.begin(asker());
    this.#steps.set(command, step);
    try {
      return await super.run(command);
    } finally {
      step.done();
    }
  }

  override async forward(address: SocketAddress): Promise<Duplex> {
    const label = `${asker()} over its socket`;
    return watchStream(await super.forward(address), () => this.#wire.begin(label));
  }

  protected override async _start(command: Command, words: readonly string[], signal: AbortSignal): Promise<Started> {
    const started = await super._start(command, words, signal);
    this.#steps.get(command)?.sent();
    return started;
  }
}

/** Each packet that goes out is a step; what comes next from the other side is its answer. */
function watchStream(stream: Duplex, begin: () => Step): Duplex {
  let step: Step | undefined;
  const [write, emit] = [stream.write.bind(stream), stream.emit.bind(stream)];
  stream.write = ((...args: Parameters<typeof write>) => {
    step?.done();
    step = begin();
    const more = write(...args);
    step.sent();
    return more;
  }) as typeof stream.write;
  stream.emit = (event: string | symbol, ...args: unknown[]) => {
    if (event === "data" || event === "close") step?.done();
    return emit(event, ...args);
  };
  return stream;
}
