import { createHmac } from "node:crypto";
import type { Notification, NotificationType, Notifier } from "../contracts/notifier.ts";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Secret } from "../model/secret.ts";

export interface WebhookOptions {
  /** `https:` or `http:`, without user and password. */
  readonly url: string;
  /** `whsec_` and base64 of 24 to 64 bytes; several, separated by spaces, all sign: to exchange one without a gap. */
  readonly secret: Secret;
  /** Default: all. */
  readonly events?: readonly NotificationType[];
  /** See `Notifier.name`; default `webhook`. Give each of several its own. */
  readonly name?: string;
  /** See `Notifier.retryMs`. */
  readonly retryMs?: readonly number[];
  /** See `Notifier.timeoutMs`. */
  readonly timeoutMs?: number;
}

/** Seconds since 1970 and the text that is signed with them: the same text is sent. */
export interface SignedParts {
  readonly id: string;
  readonly timestamp: number;
  readonly body: string;
}

const PREFIX = "whsec_";
const GONE = 410;

/**
 * Posts notifications as JSON `{ type, timestamp, data }`, signed as Standard Webhooks has it: headers `webhook-id`,
 * `webhook-timestamp` and `webhook-signature`. An answer of 2xx delivers it; redirects are not followed, 410 ends the
 * tries, and the answer's body is not read. @throws HW_INPUT_INVALID
 */
export function webhook(options: WebhookOptions): Notifier {
  const { name = "webhook", events, retryMs, timeoutMs } = options;
  const url = parseUrl(options.url, name);
  const keys = parseSecrets(options.secret, name);
  return {
    name,
    ...(events === undefined ? {} : { events }),
    ...(retryMs === undefined ? {} : { retryMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    send: async ({ id, ...content }: Notification, signal) => {
      const message = { id, timestamp: Math.floor(Date.now() / 1000), body: JSON.stringify(content) };
      await post(url, message, { name, signature: signatures(message, keys), signal });
    },
  };
}

/** The header `webhook-signature`: for each key `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`. */
export function signatures({ id, timestamp, body }: SignedParts, keys: readonly Buffer[]): string {
  const sign = (key: Buffer): string =>
    createHmac("sha256", key).update(`${id}.${timestamp}.${body}`, "utf8").digest("base64");
  return keys.map((key) => `v1,${sign(key)}`).join(" ");
}

/** @throws HW_INPUT_INVALID, which never repeats the secret */
export function parseSecrets(secret: Secret, name: string): readonly Buffer[] {
  const words = secret
    .reveal()
    .split(/\s+/)
    .filter((word) => word !== "");
  const keys = words.map((word) => {
    const key = Buffer.from(word.slice(PREFIX.length), "base64");
    // Buffer.from skips what is no base64: a mistyped secret would become another one.
    const exact = word.startsWith(PREFIX) && key.toString("base64") === word.slice(PREFIX.length);
    if (exact && key.length >= 24 && key.length <= 64) return key;
    throw invalid(name, "secret", `is not "${PREFIX}" and the base64 of 24 to 64 bytes`);
  });
  if (keys.length === 0) throw invalid(name, "secret", "is empty");
  return keys;
}

async function post(
  url: URL,
  { id, timestamp, body }: SignedParts,
  { name, signature, signal }: { readonly name: string; readonly signature: string; readonly signal: AbortSignal },
): Promise<void> {
  let status: number;
  try {
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      signal,
      headers: {
        "content-type": "application/json",
        "user-agent": "hostwright",
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": signature,
      },
      body,
    });
    status = response.status;
    // Of no use, and of any length.
    await response.body?.cancel().catch(() => undefined);
  } catch (cause) {
    throw failed(name, url, `could not be reached${reasonOf(cause)}`, true);
  }
  if (status >= 200 && status < 300) return;
  const what = status >= 300 && status < 400 ? ": redirects are not followed" : "";
  throw failed(name, url, `answered ${status}${what}`, status !== GONE);
}

function parseUrl(given: string, name: string): URL {
  const url = URL.parse(given);
  if (url === null || !["http:", "https:"].includes(url.protocol))
    throw invalid(name, "url", "is no http or https URL");
  if (url.username !== "" || url.password !== "") throw invalid(name, "url", "holds a user or password");
  return url;
}

function reasonOf(cause: unknown): string {
  const code = (cause as { readonly cause?: { readonly code?: unknown } }).cause?.code;
  return typeof code === "string" ? ` (${code})` : "";
}

/** Names the host only: paths of webhooks are often secrets. */
function failed(name: string, { host }: URL, what: string, retryable: boolean): HostwrightError {
  return new HostwrightError("HW_NOTIFICATION_FAILED", `Webhook "${name}": ${host} ${what}.`, { retryable });
}

function invalid(name: string, field: string, what: string): HostwrightError {
  return new HostwrightError("HW_INPUT_INVALID", `webhook "${name}": ${field} ${what}. Nothing was changed.`, {
    data: { field },
  });
}
