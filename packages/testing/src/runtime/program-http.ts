import type { Server } from "@hostwright/core/plugin";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import type { SiteAnswer } from "./site-answer.ts";

const TIMEOUT_MS = 60_000;

/** Sends a request to a site's program as a web server does, one a connection. */
export async function askProgram(
  server: Server,
  socket: string,
  domain: string,
  path: string,
  body: string = "",
): Promise<SiteAnswer> {
  const stream = await server.forward({ path: socket });
  const { promise, resolve, reject } = Promise.withResolvers<SiteAnswer>();
  const timer = setTimeout(() => stream.destroy(new Error("the site's program gave no answer in 60 s")), TIMEOUT_MS);
  const asked = request({
    createConnection: () => stream,
    method: body === "" ? "GET" : "POST",
    path,
    headers: { host: domain, connection: "close", "content-length": Buffer.byteLength(body) },
  });
  asked.once("error", reject);
  asked.once("response", (response) => {
    const pairs = response.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}\r\n`] : []));
    const answered = (received: string): SiteAnswer => ({
      status: response.statusCode ?? 0,
      headers: pairs.join(""),
      body: received,
    });
    text(response).then((received) => resolve(answered(received)), reject);
  });
  asked.end(body);
  return promise.finally(() => {
    clearTimeout(timer);
    stream.destroy();
  });
}
