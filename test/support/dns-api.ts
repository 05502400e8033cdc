import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

interface Stored {
  readonly address: string;
  readonly version: string;
}

/** The API of a name server as such things are: a token, a list, and conditional changes. */
export class DnsApi implements AsyncDisposable {
  readonly token: string = "token-of-the-name-server";
  readonly records = new Map<string, Stored>();
  /** Each request that was let in: `PUT records/a.test`. */
  readonly asked: string[] = [];
  /** Asked before a change is answered, and after it was made: what it gives is the answer's status. */
  interrupt: (request: string, when: "before" | "after") => Promise<number | null> = async () => Promise.resolve(null);
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #version = 0;

  static async start(): Promise<DnsApi> {
    const api = new DnsApi();
    await new Promise<void>((done) => api.#server.listen(0, "127.0.0.1", done));
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** As somebody else does it. */
  set(name: string, address: string): void {
    this.#version += 1;
    this.records.set(name, { address, version: String(this.#version) });
  }

  get addresses(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.records].map(([name, { address }]) => [name, address]));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const say = (status: number, body: unknown = {}): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== `Bearer ${this.token}`) return say(401);
    const { method = "", url = "", headers } = request;
    const asked = `${method} ${url.slice(1)}`;
    this.asked.push(asked);
    if (method === "GET") return say(200, Object.fromEntries(this.records));
    const body = await text(request);
    const before = await this.interrupt(asked, "before");
    if (before !== null) return say(before);
    const name = decodeURIComponent(url.slice("/records/".length));
    const known = this.records.get(name);
    const isExpected = headers["if-none-match"] === "*" ? known === undefined : known?.version === headers["if-match"];
    if (!isExpected) return say(412);
    if (method === "DELETE") this.records.delete(name);
    else this.set(name, (JSON.parse(body) as { readonly address: string }).address);
    return say((await this.interrupt(asked, "after")) ?? 200);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => void this.#server.close(done));
  }
}
