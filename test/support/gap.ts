import { connect } from "node:net";
import type { TestHost } from "../hosts/hosts.ts";

export interface Gap {
  /** Longest time between two answers with a refusal between them. */
  readonly longestMs: number;
  readonly answers: number;
  readonly refused: number;
  /** Answers that were cut off, or no page. Not: connections that were waiting when their listener was closed. */
  readonly broken: number;
}

/** A visitor who asks for a static file over and over while something is done, and what they meet. */
export async function watchGap<T>(
  host: TestHost,
  domain: string,
  path: string,
  work: () => Promise<T>,
): Promise<readonly [T | Error, Gap]> {
  const met = { longestMs: 0, answers: 0, refused: 0, broken: 0 };
  const over = new AbortController();
  let last = performance.now();
  let refusedSince = false;
  const visitor = (async () => {
    while (!over.signal.aborted) {
      const answer = await ask(host, domain, path);
      if (answer === "page") {
        const now = performance.now();
        if (refusedSince) met.longestMs = Math.max(met.longestMs, Math.round(now - last));
        last = now;
      }
      refusedSince = answer !== "page";
      met[answer === "page" ? "answers" : answer]++;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  const result = await work().catch((error: Error) => error);
  over.abort();
  await visitor;
  return [result, met];
}

async function ask(host: TestHost, domain: string, path: string): Promise<"page" | "refused" | "broken"> {
  const { promise, resolve } = Promise.withResolvers<"page" | "refused" | "broken">();
  const socket = connect({ host: host.address, port: 80 });
  let text = "";
  socket.setEncoding("latin1");
  socket.setTimeout(10_000, () => socket.destroy(new Error("no answer")));
  socket.on("connect", () => socket.write(`GET ${path} HTTP/1.1\r\nHost: ${domain}\r\nConnection: close\r\n\r\n`));
  socket.on("data", (chunk: string) => (text += chunk));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    const unheard = error.code === "ECONNREFUSED" || (error.code === "ECONNRESET" && text === "");
    resolve(unheard ? "refused" : "broken");
  });
  socket.on("close", () => resolve(text.startsWith("HTTP/1.1 200 ") ? "page" : "broken"));
  return promise;
}
