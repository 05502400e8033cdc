import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from "node:crypto";
import { HostwrightError } from "../errors/hostwright-error.ts";
import type { Keyring, StoreKey } from "./keyring.ts";

const FORMAT = "hw1";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals secrets (AES-256-GCM), fingerprints values and signs plans, with separate subkeys. All results name their
 * format and key: `hw1.<key>.<base64url>`. A fingerprint or signature made by an older key of the ring stays valid.
 * Without keys (`role: "submit"`) everything is refused with HW_ROLE_SUBMIT.
 */
export class SecretBox {
  readonly #first: StoreKey | null;
  readonly #keys: ReadonlyMap<string, StoreKey>;

  constructor(keyring: Keyring | null) {
    this.#first = keyring?.[0] ?? null;
    this.#keys = new Map(keyring?.map((key) => [key.id, key]));
  }

  get hasKey(): boolean {
    return this.#first !== null;
  }

  /** @throws HW_ROLE_SUBMIT */
  requireKey(what: string): void {
    this.#key(what);
  }

  /**
   * `context` says what the text is (the secret's id) and is needed to open it again: whoever can write the store
   * still cannot pass one secret off as another.
   */
  seal(text: string, context: string = ""): string {
    const { id, sealing } = this.#key("Sealing");
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", sealing, nonce).setAAD(associated(id, context));
    const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return join(id, sealed);
  }

  /** @throws HW_SECRET_UNREADABLE: another key, another context, or changed since. */
  open(sealed: string, context: string = ""): string {
    this.requireKey("Opening a secret");
    const { id, bytes } = split(sealed);
    const key = this.#keys.get(id);
    if (key === undefined) throw unreadable(context, `it was sealed with the key ${id}, which was not given`);
    if (bytes.length < NONCE_BYTES + TAG_BYTES) throw unreadable(context, "it is cut short");
    const nonce = bytes.subarray(0, NONCE_BYTES);
    try {
      const decipher = createDecipheriv("aes-256-gcm", key.sealing, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(associated(id, context)).setAuthTag(bytes.subarray(-TAG_BYTES));
      const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString("utf8");
    } catch (cause) {
      throw unreadable(context, "it was changed, or belongs to something else", cause);
    }
  }

  /** Keyed hash of a value that may be secret: equal values have equal ones, under the same first key. */
  fingerprint(value: string): string {
    const { id, fingerprints } = this.#key("A fingerprint");
    return join(id, hmac(fingerprints, value));
  }

  /** Is it the value's fingerprint, under any key of the ring? Use it, not `===`, on stored ones. */
  matches(value: string, fingerprint: string): boolean {
    return this.#verify(fingerprint, (key) => hmac(key.fingerprints, value));
  }

  /** Signature of a plan, which a worker demands before it runs it (decisions.md D5). */
  mac(bytes: string | Uint8Array): string {
    const { id, macs } = this.#key("A signature");
    return join(id, hmac(macs, bytes));
  }

  verifyMac(bytes: string | Uint8Array, mac: string): boolean {
    return this.#verify(mac, (key) => hmac(key.macs, bytes));
  }

  #key(what: string): StoreKey {
    if (this.#first !== null) return this.#first;
    throw new HostwrightError(
      "HW_ROLE_SUBMIT",
      `${what} needs the installation's key, and this instance was opened with role "submit". Nothing was changed.`,
    );
  }

  #verify(given: string, expected: (key: StoreKey) => Buffer): boolean {
    const { id, bytes } = split(given);
    const key = this.#keys.get(id);
    if (key === undefined) return false;
    const right = expected(key);
    return right.length === bytes.length && timingSafeEqual(right, bytes);
  }
}

function hmac(key: KeyObject, value: string | Uint8Array): Buffer {
  return createHmac("sha256", key).update(value).digest();
}

function associated(id: string, context: string): Buffer {
  return Buffer.from(`${FORMAT}.${id}.${context}`);
}

function join(id: string, bytes: Buffer): string {
  return `${FORMAT}.${id}.${bytes.toString("base64url")}`;
}

/** What is not of the format has the id "", which no key has. */
function split(text: string): { readonly id: string; readonly bytes: Buffer } {
  const [format, id = "", body = "", ...rest] = text.split(".");
  if (format !== FORMAT || rest.length > 0) return { id: "", bytes: Buffer.alloc(0) };
  return { id, bytes: Buffer.from(body, "base64url") };
}

function unreadable(context: string, why: string, cause?: unknown): HostwrightError {
  const what = context === "" ? "A sealed text" : `The secret ${context}`;
  return new HostwrightError("HW_SECRET_UNREADABLE", `${what} cannot be opened: ${why}. It was left as it is.`, {
    cause,
    data: { id: context },
  });
}
