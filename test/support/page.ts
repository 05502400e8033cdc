import { request, type IncomingHttpHeaders } from "node:http";
import type { TestHost } from "../hosts/hosts.ts";

export interface Answer {
  readonly status: number;
  readonly title: string;
  /** Empty where there is none. */
  readonly location: string;
  readonly body: string;
  readonly type: string;
  readonly headers: IncomingHttpHeaders;
  readonly cookies: readonly string[];
  readonly ms: number;
}

export interface Ask {
  readonly method?: string;
  readonly cookies?: readonly string[];
  readonly body?: string;
}

/** Fetches a path exactly as it is written, over TCP from the host's address: nothing of it is normalised on the way. */
export async function page(host: TestHost, domain: string, path: string, ask: Ask = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { method = "GET", cookies = [], body } = ask;
  const headers = {
    host: domain,
    connection: "close",
    ...(cookies.length === 0 ? {} : { cookie: cookies.map((one) => one.split(";")[0]).join("; ") }),
    ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
  };
  const started = performance.now();
  const call = request({ host: host.address, port: 80, method, path, headers, timeout: 60_000 }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      resolve({
        status: response.statusCode ?? 0,
        title: /<title[^>]*>([^<]*)<\/title>/i.exec(text)?.[1]?.trim() ?? "",
        location: response.headers.location ?? "",
        type: response.headers["content-type"] ?? "",
        headers: response.headers,
        body: text,
        cookies: response.headers["set-cookie"] ?? [],
        ms: Math.round(performance.now() - started),
      });
    });
  });
  call.on("error", reject);
  call.on("timeout", () => call.destroy(new Error(`http://${domain}${path}: no answer in 60 s`)));
  call.end(body);
  return promise;
}

/** Follows an absolute URL of a site. */
export async function follow(host: TestHost, url: string, ask: Ask = {}): Promise<Answer> {
  const { hostname, pathname, search } = new URL(url);
  return page(host, hostname, `${pathname}${search}`, ask);
}

/** What many paths answer, as a table; a body that holds the given text is marked `LEAKS`. */
export async function statuses(
  host: TestHost,
  domain: string,
  paths: readonly string[],
  secretText?: string,
): Promise<Record<string, string>> {
  const table: Record<string, string> = {};
  for (const path of paths) {
    const { status, body } = await page(host, domain, path);
    const leaks = secretText !== undefined && body.includes(secretText);
    table[path] = `${status}${leaks ? " LEAKS" : ""}`;
  }
  return table;
}

/** The table in which every path has the same answer. */
export function all(paths: readonly string[], answer: unknown): Record<string, unknown> {
  return Object.fromEntries(paths.map((path) => [path, answer]));
}
