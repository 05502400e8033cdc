import { request } from "node:http";

export interface Fetched {
  readonly status: number;
  readonly title: string;
  readonly location: string | null;
  readonly body: string;
  /** The answer sets a session of the application. */
  readonly loggedIn: boolean;
}

/** What WordPress, Drupal and MediaWiki give to whoever is logged in. */
const LOGGED_IN = /^(wordpress_logged_in_[0-9a-f]+|S?SESS[0-9a-f]+|\w+UserName)=[^;]{3,}/;

/** Fetches a URL from a given address, as a browser does whose DNS points there. */
export async function fetchFrom(address: string, url: string): Promise<Fetched> {
  const { promise, resolve, reject } = Promise.withResolvers<Fetched>();
  const { hostname, pathname, search } = new URL(url);
  const call = request(
    {
      host: address,
      port: 80,
      path: `${pathname}${search}`,
      headers: { host: hostname, connection: "close" },
      timeout: 30_000,
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8");
        const cookies = response.headers["set-cookie"] ?? [];
        resolve({
          status: response.statusCode ?? 0,
          title: /<title[^>]*>([^<]*)<\/title>/i.exec(body)?.[1]?.trim() ?? "",
          location: response.headers.location ?? null,
          body,
          loggedIn: cookies.some((cookie) => LOGGED_IN.test(cookie)),
        });
      });
    },
  );
  call.on("error", reject);
  call.on("timeout", () => call.destroy(new Error(`${url}: no answer in 30 s`)));
  call.end();
  return promise;
}
