import { createHash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import ssh2, { type Connection, type Server as Sshd, type ServerChannel } from "ssh2";
import { loginKey } from "../login-key.ts";
import { secret, type Secret } from "../../src/model/secret.ts";
import { SshServer, type SshServerOptions } from "../../src/servers/ssh-server.ts";

/** What sshd does with a command line. */
export type OnExec = (channel: ServerChannel, line: string) => void;

const SESSION = 4711;

/** What the wrapper prints first. */
export const MARK: string = `\u001ehostwright ${SESSION}\n`;

/** Is the line one that looks at sessions or signals them? */
export function reaps(line: string): boolean {
  return line.includes("for want");
}

/** An sshd on loopback that misbehaves as it is told. */
export class FakeSshd implements AsyncDisposable {
  /** Lines of commands so far, of all connections. */
  readonly lines: string[] = [];
  connections = 0;
  /** Null: no session is answered at all. */
  onExec: OnExec | null = (channel) => {
    channel.write(MARK);
    channel.exit(0);
    channel.end();
  };
  /** Null: something listens there and lets nobody in. */
  onForward: ((channel: ServerChannel) => void) | null = null;
  readonly #sshd: Sshd;
  readonly #options: Omit<SshServerOptions, "name" | "privateKey">;
  readonly #privateKey: Secret;
  readonly #opened: SshServer[] = [];
  readonly #clients: Connection[] = [];

  /** As plain data, for another process. */
  get endpoint(): object {
    return { name: "web1", ...this.#options, privateKey: this.#privateKey.reveal() };
  }

  /** That of the login. */
  get privateKey(): Secret {
    return this.#privateKey;
  }

  private constructor(sshd: Sshd, options: Omit<SshServerOptions, "name" | "privateKey">, privateKey: Secret) {
    this.#privateKey = privateKey;
    this.#sshd = sshd;
    this.#options = options;
    sshd.on("connection", (client) => this.#serve(client));
  }

  static async start(): Promise<FakeSshd> {
    const hostKey = loginKey();
    const parsed = ssh2.utils.parseKey(hostKey);
    if (parsed instanceof Error) throw parsed;
    const print = createHash("sha256").update(parsed.getPublicSSH()).digest("base64").replace(/=$/, "");
    const sshd = new ssh2.Server({ hostKeys: [hostKey] });
    sshd.listen(0, "127.0.0.1");
    await once(sshd, "listening");
    const { port } = sshd.address() as AddressInfo;
    return new FakeSshd(sshd, { host: "127.0.0.1", port, hostKeys: [`SHA256:${print}`] }, secret(loginKey()));
  }

  open(options: Partial<SshServerOptions> = {}): SshServer {
    const server = new SshServer({
      name: "web1",
      ...this.#options,
      privateKey: this.#privateKey,
      answerTimeoutMs: 300,
      ...options,
    });
    this.#opened.push(server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map(async (server) => server.close()));
    for (const client of this.#clients) client.end();
    this.#sshd.close();
  }

  #serve(client: Connection): void {
    this.connections += 1;
    this.#clients.push(client);
    client.on("error", () => undefined);
    client.on("authentication", (context) => context.accept());
    client.on("tcpip", (accept) => {
      const channel = this.onForward === null ? null : accept();
      if (channel === null) return;
      channel.on("error", () => undefined);
      this.onForward?.(channel);
    });
    client.on("session", (accept) => {
      if (this.onExec === null) return;
      accept().on("exec", (take, _refuse, { command }) => {
        this.lines.push(command);
        const channel = take();
        channel.on("error", () => undefined);
        this.onExec?.(channel, command);
      });
    });
  }
}
