import { connect, createServer, type Server as Listener, type Socket } from "node:net";
import { once } from "node:events";
import { PART, provide, SshServer, type HostwrightEvent, type OpenServer, type Provider } from "@hostwright/core";
import { type Command, type CommandResult } from "@hostwright/core/plugin";
import { Gate } from "../support/gate.ts";

/** A script that changes the server: counted within its action, from 1. */
export interface Moment {
  readonly title: string;
  readonly change: number;
}

export type Silent = "answers" | "commands" | null;

/**
 * The network between this machine and a host: a proxy whose either direction can be silenced, and that can be cut. What
 * changes the server is told at the moment when it runs there, so that a test can strike in its middle.
 */
export class FaultyLink extends Gate implements AsyncDisposable {
  /** Every change so far, as it began. */
  readonly seen: Moment[] = [];
  /** Called when a change has begun on the server, and once more when its answer came. */
  onChange: (moment: Moment, when: "runs" | "answered") => void = () => undefined;
  /** What runs in the place of a change's script. */
  alter: (moment: Moment, script: string) => string = (_moment, script) => script;
  readonly #sockets = new Set<Socket>();
  readonly #listeners = new Set<Listener>();
  #silent: Silent = null;
  #title = "";
  #changes = 0;

  /** To be given the events of the task. */
  readonly follow = (event: HostwrightEvent): void => {
    if (event.type !== "action:started") return;
    this.#title = event.payload.title;
    this.#changes = 0;
  };

  silence(direction: Silent): void {
    this.#silent = direction;
  }

  /** Ends every connection at once, both ends; the next one opens as usual. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
    this.#silent = null;
  }

  override get provider(): Provider<OpenServer> {
    return provide(PART.openServer, () => async ({ name, connect: to }, privateKey) => {
      if (to.type !== "ssh") throw new Error("test hosts are reached over SSH");
      const port = await this.#proxy(to.host, to.port ?? 22);
      return new LinkedServer(this, { name, ...to, host: "127.0.0.1", port, privateKey: await privateKey() });
    });
  }

  next(): Moment {
    return { title: this.#title, change: ++this.#changes };
  }

  begins(moment: Moment): void {
    this.seen.push(moment);
    this.onChange(moment, "runs");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    for (const listener of this.#listeners) listener.close();
  }

  async #proxy(host: string, port: number): Promise<number> {
    const listener = createServer((hub) => {
      const there = connect({ host, port, noDelay: true });
      hub.setNoDelay(true);
      for (const socket of [hub, there]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.once("close", () => this.#sockets.delete(socket));
      }
      this.#pass(hub, there, "commands");
      this.#pass(there, hub, "answers");
    });
    this.#listeners.add(listener);
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return (listener.address() as { port: number }).port;
  }

  #pass(from: Socket, to: Socket, direction: Silent): void {
    // What is dropped is gone: TCP's own order does not allow to go on, and nobody does before the cut.
    from.on("data", (data) => void (this.#silent === direction || to.write(data)));
    from.once("close", () => to.destroy());
  }
}

/** From the fence's script on: `sh`, its own arguments, of which the last one is the script that it runs. */
const INNER = 10;

class LinkedServer extends SshServer {
  readonly #link: FaultyLink;

  constructor(link: FaultyLink, options: ConstructorParameters<typeof SshServer>[0]) {
    super(options);
    this.#link = link;
  }

  override async run(command: Command): Promise<CommandResult> {
    await this.#link.open();
    return super.run(command);
  }

  protected override async _start(
    ...given: Parameters<SshServer["_start"]>
  ): Promise<Awaited<ReturnType<SshServer["_start"]>>> {
    const [command, words, signal] = given;
    const fence = words.findIndex((word) => word.includes("highest-$installation"));
    if (fence < 0) return super._start(command, words, signal);
    const moment = this.#link.next();
    const altered = words.with(fence + INNER, this.#link.alter(moment, words[fence + INNER] ?? ""));
    const started = await super._start(command, altered, signal);
    if (started === null) return null;
    this.#link.begins(moment);
    void started.process.ended.then(
      () => this.#link.onChange(moment, "answered"),
      () => undefined,
    );
    return started;
  }
}
