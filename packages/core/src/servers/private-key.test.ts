import { generateKeyPairSync } from "node:crypto";
import * as fc from "fast-check";
import { utils } from "ssh2";
import { describe, expect, test } from "vitest";
import { secret } from "../model/secret.ts";
import { readPrivateKey } from "./private-key.ts";

const ed25519 = generateKeyPairSync("ed25519").privateKey;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const locked = (passphrase: string): object => ({ cipher: "aes-256-cbc", passphrase });
/** The package's types know one overload of it only. */
const makePair: (type: string, options?: object) => { private: string; public: string } = utils.generateKeyPairSync;
function openssh(type: string, passphrase?: string): string {
  const made = makePair(type, {
    bits: type === "rsa" ? 2048 : 256,
    ...(passphrase === undefined ? {} : { cipher: "aes256-cbc", passphrase, rounds: 2 }),
  }).private;
  // Of the ed25519 keys that the package makes, it cannot read one in 150 itself.
  return utils.parseKey(made, passphrase) instanceof Error ? openssh(type, passphrase) : made;
}

async function judged(text: string, passphrase?: string): Promise<string> {
  const read = readPrivateKey("server web1", secret(text), passphrase === undefined ? undefined : secret(passphrase));
  return read.catch((error: Error) => {
    expect(error).toMatchObject({ code: "HW_INPUT_INVALID" });
    return error.message;
  });
}

/** What ssh2 makes of it without a passphrase. */
function typeOf(text: string): string {
  const parsed = [utils.parseKey(text)].flat()[0];
  return parsed instanceof Error
    ? parsed.message
    : `${parsed?.isPrivateKey() === true ? "private" : "public"} ${parsed?.type}`;
}

describe("a login key is taken", () => {
  test.each([
    ["OpenSSH's ed25519", openssh("ed25519"), "ssh-ed25519"],
    ["OpenSSH's RSA", openssh("rsa"), "ssh-rsa"],
    ["PKCS#8 ed25519, as openssl makes it", ed25519.export({ type: "pkcs8", format: "pem" }), "ssh-ed25519"],
    ["PKCS#8 RSA", rsa.export({ type: "pkcs8", format: "pem" }), "ssh-rsa"],
    ["PKCS#1 RSA", rsa.export({ type: "pkcs1", format: "pem" }), "ssh-rsa"],
    ["SEC1 ECDSA", ec.export({ type: "sec1", format: "pem" }), "ecdsa-sha2-nistp256"],
    ["one with line ends of Windows", openssh("ed25519").replaceAll("\n", "\r\n"), "ssh-ed25519"],
    ["one that lost its last line end", openssh("ed25519").trim(), "ssh-ed25519"],
  ])("%s", async (_what, text, type) => {
    expect(typeOf(await judged(String(text)))).toBe(`private ${type}`);
  });

  test.each([
    ["OpenSSH's ed25519", openssh("ed25519", "open sesame"), "ssh-ed25519"],
    ["OpenSSH's RSA", openssh("rsa", "open sesame"), "ssh-rsa"],
    ["OpenSSH's ECDSA", openssh("ecdsa", "open sesame"), "ecdsa-sha2-nistp256"],
    ["PKCS#8", ed25519.export({ type: "pkcs8", format: "pem", ...locked("open sesame") }), "ssh-ed25519"],
    ["old PEM", rsa.export({ type: "pkcs1", format: "pem", ...locked("open sesame") }), "ssh-rsa"],
  ])("with its passphrase, and kept without: %s", async (_what, text, type) => {
    expect(await judged(String(text))).toContain("connect.passphrase");
    expect(await judged(String(text), "wrong")).toContain("does not open with it");
    expect(typeOf(await judged(String(text), "open sesame"))).toBe(`private ${type}`);
  });
});

describe("refused as what it is:", () => {
  const pair = makePair("ed25519");
  test.each([
    ["a public key", pair.public, "a public key"],
    [
      "a public key in PEM",
      generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" }),
      "a public key",
    ],
    ["a path", "/root/.ssh/id_ed25519", "a path"],
    ["a path at home", "~/.ssh/id_ed25519", "a path"],
    ["half a key", pair.private.slice(0, 200), "not a private key"],
    ["half a PEM key", String(rsa.export({ type: "pkcs1", format: "pem" })).slice(0, 200), "damaged"],
    [
      "a key that SSH has no use for",
      generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" }),
      "of type x25519",
    ],
    ["nothing", "", "not a private key"],
  ])("%s", async (_what, text, word) => {
    const message = await judged(String(text));
    expect(message).toContain(word);
    expect(message).toContain("connect.privateKey");
  });

  test("any text that is no key, and no refusal repeats it", async () => {
    const noise = fc.oneof(
      fc.string({ minLength: 12, maxLength: 300 }),
      fc
        .string({ minLength: 12 })
        .map(
          (text) =>
            `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from(text).toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`,
        ),
      fc
        .string({ minLength: 12 })
        .map(
          (text) => `-----BEGIN PRIVATE KEY-----\n${Buffer.from(text).toString("base64")}\n-----END PRIVATE KEY-----\n`,
        ),
    );
    await fc.assert(
      fc.asyncProperty(noise, async (text) => {
        const message = await judged(text);
        expect(message).toMatch(/^server web1: connect\.(privateKey|passphrase): /);
        expect(message).not.toContain(text);
      }),
    );
  });
});
