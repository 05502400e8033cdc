import { createSecretKey, hkdfSync, randomBytes, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Secret } from "../model/secret.ts";
import { onFile } from "./file-error.ts";
import { createPrivateFile, requirePrivate } from "./private-files.ts";

const KEY_BYTES = 32;

/** One key of the installation, as the subkeys that are used: what one of them leaks tells nothing of the others. */
export interface StoreKey {
  /** Names the key in what it made; derived from it, and tells nothing of it. */
  readonly id: string;
  readonly sealing: KeyObject;
  readonly fingerprints: KeyObject;
  readonly macs: KeyObject;
}

/** The first key makes, all open: to rotate, put a new one first and keep the old ones until nothing needs them. */
export type Keyring = readonly [StoreKey, ...StoreKey[]];

export interface KeyringSource {
  /** Base64 of 32 bytes, several separated by white space; or the bytes of one key. */
  readonly key?: Secret | Uint8Array;
  /** Path of a file with the same text, readable by this user only. It must exist. */
  readonly file?: string;
  /** Name of an environment variable with the same text. It must be set. */
  readonly env?: string;
  /** State folder; without any of the above the key is its file `key`, made at the first use. */
  readonly stateDir?: string;
}

/**
 * Reads the keys that seal secrets and sign plans. They are never in the store (decisions.md D5).
 * @throws HW_INPUT_INVALID, HW_STORE_EXPOSED (a file that others can read)
 */
export function loadKeyring(source: KeyringSource): Keyring {
  const given = [source.key, source.file, source.env].filter((way) => way !== undefined);
  if (given.length > 1) throw invalid("key", "Give the store's key in one way: key, file or env.");
  if (source.key instanceof Uint8Array) return [deriveKey(source.key)];
  if (source.key !== undefined) return parseKeys(source.key.reveal(), "key");
  if (source.env !== undefined) return parseKeys(process.env[source.env] ?? "", `env ${source.env}`);
  if (source.file !== undefined) return readKeys(source.file);
  if (source.stateDir === undefined) throw invalid("key", "Give the store's key, or the state folder that holds it.");
  const file = join(source.stateDir, "key");
  createPrivateFile(file, `${randomBytes(KEY_BYTES).toString("base64")}\n`);
  return readKeys(file);
}

function readKeys(file: string): Keyring {
  if (!existsSync(file)) throw invalid("file", `The key file ${file} does not exist.`);
  requirePrivate(file, "600");
  const text = onFile(file, () => readFileSync(file, "utf8"));
  return parseKeys(text, `file ${file}`);
}

function parseKeys(text: string, field: string): Keyring {
  const [first, ...others] = text
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => parseKey(word, field));
  if (first === undefined) throw invalid(field, `No key was found in ${field}.`);
  return [first, ...others];
}

function parseKey(word: string, field: string): StoreKey {
  const bytes = Buffer.from(word, "base64");
  // Buffer.from skips what is no base64: a mistyped key would become another one.
  if (bytes.toString("base64") !== word) throw invalid(field, `A key in ${field} is not base64.`);
  return deriveKey(bytes, field);
}

function deriveKey(bytes: Uint8Array, field: string = "key"): StoreKey {
  if (bytes.length !== KEY_BYTES)
    throw invalid(field, `A key in ${field} has ${bytes.length} bytes, not ${KEY_BYTES}.`);
  const subkey = (purpose: string, length: number): Buffer =>
    Buffer.from(hkdfSync("sha256", bytes, "", `hostwright ${purpose}`, length));
  return {
    id: subkey("id", 6).toString("base64url"),
    sealing: createSecretKey(subkey("sealing", 32)),
    fingerprints: createSecretKey(subkey("fingerprints", 32)),
    macs: createSecretKey(subkey("macs", 32)),
  };
}

function invalid(field: string, message: string): HostwrightError {
  return new HostwrightError("HW_INPUT_INVALID", message, {
    remedy:
      "Name the key that the installation was first opened with. For a new one, make it with `(umask 077; head -c 32 /dev/urandom | base64 > FILE)`.",
    data: { field },
  });
}
