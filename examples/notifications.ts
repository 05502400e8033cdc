import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type Server } from "node:http";
import { createHostwright, webhook, type Hostwright, type Notifier, type Plugin, type Secret } from "@hostwright/core";

/** A worker that tells a panel, or whoever is on call, of every task that ends. */
export async function openWorker(
  stateDir: string,
  plugins: readonly Plugin[],
  target: { readonly url: string; readonly secret: Secret },
): Promise<Hostwright> {
  return createHostwright({
    stateDir,
    plugins,
    notify: [webhook({ url: target.url, secret: target.secret }), toConsole],
  });
}

/** A notifier of one's own; mail or a chat would be the same. What it throws is tried again later. */
const toConsole: Notifier = {
  name: "console",
  events: ["task.failed"],
  send: async ({ data }) => {
    const { about, error, residue } = data;
    console.error(`${about}: ${error?.message} Next: ${error?.remedy} Left behind: ${residue.length}`);
  },
};

/** The receiving side: believes nothing that is not signed, and takes each notification once. */
export function receive(secret: Secret, take: (body: unknown) => void): Server {
  const key = Buffer.from(secret.reveal().replace("whsec_", ""), "base64");
  const seen = new Set<string>();
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map((name) =>
        String(request.headers[`webhook-${name}`]),
      );
      const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
      const signed = (signatures ?? "").split(" ").some((one) => {
        const given = Buffer.from(one.replace("v1,", ""), "base64");
        return given.length === expected.length && timingSafeEqual(given, expected);
      });
      const fresh = Math.abs(Date.now() / 1000 - Number(timestamp)) < 300;
      if (!signed || !fresh || id === undefined) {
        response.writeHead(401).end();
        return;
      }
      if (!seen.has(id)) take(JSON.parse(body));
      seen.add(id);
      response.writeHead(204).end();
    });
  });
}
