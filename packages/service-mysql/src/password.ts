import { HostwrightError, shaCrypt, sql, type Sql } from "@hostwright/core/plugin";
import { createHash } from "node:crypto";
import type { Flavour } from "./flavour.ts";
import { literal } from "./quote.ts";

const ROUNDS = 5000;
const SALT_LENGTH = 20;

/**
 * What stands after IDENTIFIED: the hash, made here, so that no password is in a statement or in a log of the server.
 * The same password gives the same clause, so that a changed one is seen by comparing.
 * @throws HW_QUOTE_REFUSED for none, and for what no client can send
 */
export function authenticationOf(flavour: Flavour, password: string, user: string, host: string): Sql {
  // An empty one would let everybody in.
  if (password === "" || password.includes("\0") || !password.isWellFormed()) {
    const message = `A password of ${password.length} characters cannot be given to ${user}: it is empty, or holds what no client can send. Nothing was changed.`;
    throw new HostwrightError("HW_QUOTE_REFUSED", message);
  }
  if (flavour === "mariadb") return sql`VIA mysql_native_password USING ${literal(nativeHash(password))}`;
  const stored = cachingSha2Hash(password, accountSalt(user, host));
  return sql`WITH caching_sha2_password AS ${literal(stored)}`;
}

/** As mysql_native_password keeps it. */
export function nativeHash(password: string): string {
  const once = createHash("sha1").update(password).digest();
  return `*${createHash("sha1").update(once).digest("hex").toUpperCase()}`;
}

/** As caching_sha2_password keeps it: `$A$`, rounds in thousands as three hex digits, `$`, salt, digest. */
export function cachingSha2Hash(password: string, salt: Buffer): string {
  const thousands = (ROUNDS / 1000).toString(16).padStart(3, "0");
  return `$A$${thousands}$${salt.toString("latin1")}${shaCrypt("sha256", password, salt, ROUNDS)}`;
}

// A salt has to be another for each account, not secret. Made from the account's name it needs no reading back.
function accountSalt(user: string, host: string): Buffer {
  const name = createHash("sha256").update(`hostwright ${user}@${host}`).digest("base64url");
  return Buffer.from(name.slice(0, SALT_LENGTH), "latin1");
}
