import { createPrivateKey, type KeyObject } from "node:crypto";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Secret } from "../model/secret.ts";
import { opensshEd25519 } from "./openssh-key.ts";

const OPENSSH = /^-----BEGIN OPENSSH PRIVATE KEY-----\s([A-Za-z0-9+/=\s]+)-----END/;
const PEM = /^-----BEGIN (?:(ENCRYPTED) |RSA |EC )?PRIVATE KEY-----/;
const PUBLIC = /^(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+\s|^-----BEGIN (?:RSA |SSH2 )?PUBLIC KEY|^---- BEGIN SSH2 PUBLIC KEY/;
const UNLOCK_MS = 30_000;

/**
 * A login key in a form that connections take, without its passphrase. @throws HW_INPUT_INVALID naming the field of
 * `ssh()`: what is no private key, is of a kind that is not supported, or does not open with the passphrase
 */
export async function readPrivateKey(what: string, key: Secret, passphrase?: Secret): Promise<string> {
  const refuse = (field: "privateKey" | "passphrase", why: string): HostwrightError =>
    new HostwrightError("HW_INPUT_INVALID", `${what}: connect.${field}: ${why}. Nothing was changed.`, {
      data: { issues: [{ field: `connect.${field}`, message: why }] },
    });
  const text = `${key.reveal().trim()}\n`;
  if (PUBLIC.test(text)) throw refuse("privateKey", "a public key: give the private one of the pair");
  if (/^[~/.][^\n]{0,4096}\n$/.test(text))
    throw refuse("privateKey", "a path: give what the file holds, secret(await readFile(path, 'utf8'))");
  const isLocked = isEncrypted(text);
  if (isLocked && passphrase === undefined)
    throw refuse(
      "passphrase",
      "the private key has one: give it with ssh({ passphrase: secret(...) }), or a key without",
    );
  const wrong = refuse("passphrase", "the private key does not open with it");
  if (PEM.test(text)) {
    let read: KeyObject;
    try {
      read = createPrivateKey({ key: text, ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }) });
    } catch {
      throw isLocked ? wrong : refuse("privateKey", "damaged: it cannot be read");
    }
    const plain = exported(read);
    if (plain !== null) return plain;
    throw refuse("privateKey", `of type ${read.asymmetricKeyType ?? "unknown"}: give one of ed25519, ECDSA or RSA`);
  }
  const plain = isLocked && passphrase !== undefined ? await unlocked(text, passphrase) : text;
  if (plain === null) throw wrong;
  const { default: ssh2 } = await import("ssh2");
  const parsed = ssh2.utils.parseKey(plain);
  if (!(parsed instanceof Error) && [parsed].flat()[0]?.isPrivateKey() === true) return plain;
  throw refuse("privateKey", "not a private key: give the text of an OpenSSH or PEM key file");
}

function isEncrypted(text: string): boolean {
  const own = OPENSSH.exec(text)?.[1];
  if (own === undefined) return PEM.exec(text)?.[1] !== undefined || /^Proc-Type: 4,ENCRYPTED/m.test(text);
  const blob = Buffer.from(own, "base64");
  const at = "openssh-key-v1\0".length;
  if (blob.length < at + 4) return false;
  return blob.toString("latin1", at + 4, at + 4 + blob.readUInt32BE(at)) !== "none";
}

/** In a form that ssh2 reads; null for a kind of key that SSH does not log in with. */
function exported(key: KeyObject): string | null {
  if (key.asymmetricKeyType === "rsa") return key.export({ type: "pkcs1", format: "pem" }).toString();
  if (key.asymmetricKeyType === "ec") return key.export({ type: "sec1", format: "pem" }).toString();
  return key.asymmetricKeyType === "ed25519" ? opensshEd25519(key) : null;
}

/** OpenSSH's passphrases take half a second of computing and more: beside the event loop, and not for ever. */
async function unlocked(text: string, passphrase: Secret): Promise<string | null> {
  const code = `
    const { workerData: [module, text, passphrase], parentPort } = require("node:worker_threads");
    const parsed = [require(module).utils.parseKey(text, passphrase)].flat()[0];
    parentPort.postMessage(parsed instanceof Error ? null : parsed.getPrivatePEM());`;
  const workerData = [createRequire(import.meta.url).resolve("ssh2"), text, passphrase.reveal()];
  const worker = new Worker(code, { eval: true, workerData });
  const { promise, resolve } = Promise.withResolvers<string | null>();
  worker.once("message", resolve);
  worker.once("error", () => resolve(null));
  worker.once("exit", () => resolve(null));
  const timer = setTimeout(() => resolve(null), UNLOCK_MS);
  const pem = await promise.finally(() => clearTimeout(timer));
  await worker.terminate();
  return pem === null ? null : exported(createPrivateKey(pem));
}
