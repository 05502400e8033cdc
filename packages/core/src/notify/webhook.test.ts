import { randomBytes, webcrypto } from "node:crypto";
import { assert, asyncProperty, integer, string, stringMatching, uint8Array } from "fast-check";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Receiver, type Received } from "../../test/receiver.ts";
import type { Notification } from "../contracts/notifier.ts";
import { secret } from "../model/secret.ts";
import { parseSecrets, signatures, webhook } from "./webhook.ts";

const NEVER = new AbortController().signal;
const SECRET = `whsec_${randomBytes(24).toString("base64")}`;
const notification: Notification = {
  id: "msg_t1_7",
  type: "task.failed",
  timestamp: "2026-01-02T03:04:05.000Z",
  data: {
    task: "t1",
    type: "site:install",
    about: "a.example",
    actor: "ann",
    state: "undone",
    createdAt: "2026-01-02T03:04:04.000Z",
    error: { code: "HW_DISK_FULL", message: "web1: no room", remedy: "Free space.", server: "web1" },
    residue: [],
    residueCount: 0,
    value: {},
  },
};

/** As the specification has it, by the web's own cryptography: none of ours, and none of node:crypto's HMAC. */
async function isSigned(given: string, message: Uint8Array, whsec: string): Promise<boolean> {
  const raw = Uint8Array.from(atob(whsec.replace("whsec_", "")), (char) => char.charCodeAt(0));
  const key = await webcrypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const checks = given.split(" ").map(async (one) => {
    const [version, base64 = ""] = one.split(",");
    const signature = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return version === "v1" && (await webcrypto.subtle.verify("HMAC", key, signature, message));
  });
  return (await Promise.all(checks)).includes(true);
}

async function verified({ headers, body }: Received, whsec: string): Promise<boolean> {
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  return isSigned(String(headers["webhook-signature"]), new TextEncoder().encode(signed), whsec);
}

let receiver: Receiver;
beforeEach(async () => {
  receiver = await Receiver.open();
  onTestFinished(async () => receiver[Symbol.asyncDispose]());
});

describe("a signature", () => {
  test("is that of the specification's own example", () => {
    const keys = parseSecrets(secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "webhook");
    const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: '{"test": 2432232314}' };
    expect(signatures(message, keys)).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  test("of any id, time, text and key holds for them, and for no other", async () => {
    const key = uint8Array({ minLength: 24, maxLength: 64 });
    const id = stringMatching(/^msg_\w{1,30}$/);
    await assert(
      asyncProperty(
        id,
        integer({ min: 0, max: 2 ** 40 }),
        string({ unit: "grapheme" }),
        key,
        async (name, timestamp, body, bytes) => {
          const whsec = `whsec_${Buffer.from(bytes).toString("base64")}`;
          const given = signatures({ id: name, timestamp, body }, parseSecrets(secret(whsec), "webhook"));
          const text = (...parts: readonly unknown[]): Uint8Array => new TextEncoder().encode(parts.join("."));
          expect(await isSigned(given, text(name, timestamp, body), whsec)).toBe(true);
          const others = [
            text(`${name}x`, timestamp, body),
            text(name, timestamp + 1, body),
            text(name, timestamp, `${body} `),
          ];
          for (const other of others) expect(await isSigned(given, other, whsec)).toBe(false);
          expect(await isSigned(given, text(name, timestamp, body), SECRET)).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("a webhook", () => {
  test("posts JSON with its id and time, signed over the bytes that are sent", async () => {
    await webhook({ url: receiver.url, secret: secret(SECRET) }).send(notification, NEVER);
    const [request] = receiver.received;
    if (request === undefined) throw new Error("nothing came");
    const { id, ...content } = notification;
    expect(JSON.parse(request.body)).toEqual(content);
    expect(request.headers).toMatchObject({ "content-type": "application/json", "webhook-id": id });
    expect(Math.abs(Date.now() / 1000 - Number(request.headers["webhook-timestamp"]))).toBeLessThan(5);
    expect(await verified(request, SECRET)).toBe(true);
    expect(await verified({ ...request, body: `${request.body} ` }, SECRET)).toBe(false);
    expect(JSON.stringify(request)).not.toContain(SECRET.slice(6));
  });

  test("signs with every secret while one is being exchanged", async () => {
    const [one, two] = [SECRET, `whsec_${randomBytes(64).toString("base64")}`];
    await webhook({ url: receiver.url, secret: secret(`${one} ${two}`) }).send(notification, NEVER);
    const [request] = receiver.received;
    if (request === undefined) throw new Error("nothing came");
    expect([await verified(request, one), await verified(request, two)]).toEqual([true, true]);
  });

  test.each([
    [200, "delivered"],
    [299, "delivered"],
    [301, "again"],
    [307, "again"],
    [400, "again"],
    [429, "again"],
    [500, "again"],
    [410, "given up"],
  ])("that is answered %i is %s, and no redirect is followed", async (status, expected) => {
    receiver.answer = (_request, response) => response.writeHead(status, { location: "/elsewhere" }).end("x");
    const sent = webhook({ url: receiver.url, secret: secret(SECRET) }).send(notification, NEVER);
    const retryable = await sent.then(
      () => "delivered",
      (error: { readonly code: string; readonly retryable: boolean }) => {
        expect(error).toMatchObject({
          code: "HW_NOTIFICATION_FAILED",
          message: expect.stringContaining(String(status)),
        });
        return error.retryable ? "again" : "given up";
      },
    );
    expect(retryable).toBe(expected);
    expect(receiver.received.map(({ path }) => path)).toEqual(["/hook"]);
  });

  test("reads no endless answer, and names the host only when nobody is there", async () => {
    receiver.answer = (_request, response) => {
      response.writeHead(200);
      const more = (): void => void response.write("x".repeat(65_536), more);
      more();
    };
    await webhook({ url: receiver.url, secret: secret(SECRET) }).send(notification, NEVER);
    const { url } = receiver;
    await receiver[Symbol.asyncDispose]();
    receiver = await Receiver.open();
    const error = await webhook({ url: `${url}/T0KEN`, secret: secret(SECRET) })
      .send(notification, NEVER)
      .catch((caught: Error) => caught);
    expect(error).toMatchObject({ retryable: true, message: expect.stringContaining("127.0.0.1") });
    expect(String(error)).not.toContain("T0KEN");
  });

  test.each([
    ["ftp://a.example/", SECRET],
    ["file:///etc/passwd", SECRET],
    ["a.example", SECRET],
    ["https://user:pass@a.example/", SECRET],
    ["https://a.example/", "whsec_"],
    ["https://a.example/", ""],
    ["https://a.example/", SECRET.replace("whsec_", "")],
    ["https://a.example/", `whsec_${randomBytes(23).toString("base64")}`],
    ["https://a.example/", `whsec_${randomBytes(65).toString("base64")}`],
    ["https://a.example/", `${SECRET}!`],
    ["https://a.example/", `${SECRET} plain`],
  ])("to %s with a wrong address or secret is refused, and shows neither", (url, whsec) => {
    const make = (): unknown => webhook({ url, secret: secret(whsec) });
    expect(make).toThrow(expect.objectContaining({ code: "HW_INPUT_INVALID" }));
    for (const hidden of ["user:pass", SECRET.slice(6)]) expect(make).not.toThrow(hidden);
  });
});
