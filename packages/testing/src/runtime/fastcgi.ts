import type { Server } from "@hostwright/core/plugin";
import type { Duplex } from "node:stream";
import type { SiteAnswer } from "./site-answer.ts";

const [BEGIN, PARAMS, STDIN, STDOUT, STDERR] = [1, 4, 5, 6, 7];

function record(type: number, content: Uint8Array): Buffer {
  const head = Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]);
  return Buffer.concat([head, content]);
}

function pair(name: string, value: string): Buffer {
  const length = (text: string): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE((Buffer.byteLength(text) | 0x80000000) >>> 0);
    return bytes;
  };
  return Buffer.concat([length(name), length(value), Buffer.from(name), Buffer.from(value)]);
}

/** Sends a request to a site's PHP as a web server does (FastCGI 1.0, one request a connection). The body fits one record. */
export async function askPhp(
  server: Server,
  socket: string,
  params: Readonly<Record<string, string>>,
  body: string = "",
): Promise<SiteAnswer> {
  const stream = await server.forward({ path: socket });
  const all = { ...params, CONTENT_LENGTH: String(Buffer.byteLength(body)) };
  stream.write(
    Buffer.concat([
      record(BEGIN, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])),
      record(PARAMS, Buffer.concat(Object.entries(all).map(([name, value]) => pair(name, value)))),
      record(PARAMS, Buffer.alloc(0)),
      ...(body === "" ? [] : [record(STDIN, Buffer.from(body))]),
      record(STDIN, Buffer.alloc(0)),
    ]),
  );
  const text = parse(await received(stream));
  const end = text.indexOf("\r\n\r\n");
  const headers = text.slice(0, Math.max(0, end + 2));
  return {
    status: Number(/^Status: (\d+)/m.exec(headers)?.[1] ?? (end < 0 ? 0 : 200)),
    headers,
    body: text.slice(end + 4),
  };
}

async function received(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const timer = setTimeout(() => stream.destroy(new Error("the site's PHP gave no answer in 60 s")), 60_000);
  try {
    // Up to the end, which PHP makes: what is left unread would keep the connection's place.
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } finally {
    clearTimeout(timer);
    stream.destroy();
  }
  return Buffer.concat(chunks);
}

function* records(bytes: Buffer): Generator<{ readonly type: number; readonly content: Buffer }> {
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 4);
    const next = at + 8 + length + (bytes[at + 6] ?? 0);
    if (next > bytes.length) return;
    yield { type: bytes[at + 1] ?? 0, content: bytes.subarray(at + 8, at + 8 + length) };
    at = next;
  }
}

function parse(bytes: Buffer): string {
  const of = (wanted: number): Buffer =>
    Buffer.concat([...records(bytes)].filter(({ type }) => type === wanted).map(({ content }) => content));
  const out = of(STDOUT ?? 0);
  return out.length > 0 ? out.toString() : `Status: 0\r\n\r\n${of(STDERR ?? 0).toString()}`;
}
