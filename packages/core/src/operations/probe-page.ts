import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Operation } from "../contracts/operation.ts";
import type { Target } from "../contracts/resource.ts";
import { BoundedOutput } from "../servers/bounded-output.ts";
import { bounded } from "./remote-unit.ts";

export interface ProbePageInput {
  readonly domain: string;
  /** Port of the web server on its loopback. */
  readonly port: number;
  readonly path: string;
  /** Fail unless the page answers with this status. */
  readonly status: number;
}

export interface Page {
  readonly status: number;
  /** Text of the first title element, up to 300 letters; empty when the first 128 KiB have none. */
  readonly title: string;
  /** Of the body, as far as it was read: no further than 2 MiB and a little. */
  readonly bytes: number;
  readonly location: string | null;
  readonly ms: number;
}

const PAGE_MS = 30_000;
const PAGE_BYTES = 2 * 1024 * 1024;
/** A head with its title is no longer. */
const HEAD_BYTES = 128 * 1024;
const TITLE_LETTERS = 300;
/** Of all that is sent: a page may come as single letters in long wrappings. */
const WIRE_BYTES = 2 * PAGE_BYTES;
/** Answers before the answer: one or two are known, an endless row of them is not an answer. */
const INTERIM_ANSWERS = 20;

/** Fetches a page as a visitor would, through the server's own loopback: no DNS and no open port needed. */
export async function fetchPage(
  target: Target,
  input: Pick<ProbePageInput, "domain" | "port" | "path">,
): Promise<Page> {
  // Imported when a page is fetched: with it comes all of Node's own `fetch`, a sixth of what an import of core took.
  const { request } = await import("node:http");
  const socket = await target.server.forward({ host: "127.0.0.1", port: input.port });
  const started = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Page>();
  let tooLong = (): void => reject(new Error("it sends without end before it answers"));
  const call = request(
    {
      createConnection: () => socket,
      method: "GET",
      path: input.path,
      headers: { host: input.domain, "user-agent": "Hostwright", connection: "close" },
    },
    (response) => {
      const body = new BoundedOutput(HEAD_BYTES);
      // Who sends without end has answered all the same; what follows is read by nobody.
      const answered = (): void =>
        resolve({
          status: response.statusCode ?? 0,
          title: titleOf(body.bytes().toString("utf8")),
          bytes: body.total,
          location: response.headers.location ?? null,
          ms: Math.round(performance.now() - started),
        });
      response.on("data", (chunk: Buffer) => {
        body.add(chunk);
        if (body.total > PAGE_BYTES) answered();
      });
      tooLong = answered;
      response.on("end", answered);
      response.on("error", reject);
    },
  );
  // Node's own time-out and signal count on a socket of Node's: over a channel a request may end without a word.
  const late = setTimeout(() => reject(new Error(`no whole answer in ${PAGE_MS / 1000} s`)), PAGE_MS);
  const leave = (): void => reject(new Error("it was cancelled"));
  target.signal.addEventListener("abort", leave, { once: true });
  if (target.signal.aborted) leave();
  let interim = 0;
  call.on("information", () => {
    interim += 1;
    if (interim > INTERIM_ANSWERS) reject(new Error("it announces answers without end"));
  });
  let received = 0;
  call.once("socket", (wire) =>
    wire.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received > WIRE_BYTES) tooLong();
    }),
  );
  socket.once("close", () => reject(new Error("the connection was closed")));
  call.on("error", reject);
  call.end();
  try {
    return await promise;
  } catch (error) {
    throw new HostwrightError(
      "HW_PROBE_FAILED",
      `${input.domain} on ${target.server.name} gave no answer: ${String(error)}.`,
      {
        server: target.server.name,
        retryable: true,
        cause: error,
      },
    );
  } finally {
    clearTimeout(late);
    target.signal.removeEventListener("abort", leave);
    call.destroy();
    socket.destroy();
  }
}

/** Found by single steps forward: an expression over a hostile page would look at each letter many times. */
export function titleOf(html: string): string {
  const element = /<title(?=[\s/>])/i.exec(html);
  const from = element === null ? -1 : html.indexOf(">", element.index);
  const to = from < 0 ? -1 : html.indexOf("<", from);
  return to < 0
    ? ""
    : bounded(
        html
          .slice(from + 1, to)
          .trim()
          .slice(0, TITLE_LETTERS),
      );
}

/** Judges a finished change by the page that a browser gets, not by anybody's exit code. */
export const probePage: Operation<ProbePageInput, Page> = {
  name: "probe-page",
  version: 1,
  async run({ target }, input) {
    const page = await fetchPage(target, input);
    if (page.status === input.status && page.bytes > 0) return page;
    throw new HostwrightError(
      "HW_PROBE_FAILED",
      `${input.domain}${input.path} on ${target.server.name} answered ${page.status} with ${page.bytes} bytes, not ${input.status} with a page.`,
      { server: target.server.name, data: { ...page } },
    );
  },
  async probe() {
    return "absent";
  },
  async undo() {
    // Looking changes nothing.
  },
};
