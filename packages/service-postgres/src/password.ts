import { HostwrightError } from "@hostwright/core/plugin";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** Every login of PHP computes them too. They slow down who guesses, and nobody guesses 32 random bytes. */
const ITERATIONS = 100;

/**
 * What the server keeps of a password (RFC 5802, in the form of PostgreSQL's `pg_authid.rolpassword`), made here: the
 * password itself is never sent. The salt follows from both, so that the same password is seen to be the same.
 * @throws HW_QUOTE_REFUSED for what a login would not be the same with
 */
export function scramVerifier(user: string, password: string): string {
  // Other characters are rewritten by clients (SASLprep), and with zero bytes at its end it is the same key to HMAC.
  // oxlint-disable-next-line no-control-regex -- all of ASCII but NUL
  if (!/^[\u0001-\u007f]+$/.test(password)) {
    const message = `A password of ${password.length} characters cannot be given to ${user}: it is empty or not ASCII. Nothing was changed.`;
    throw new HostwrightError("HW_QUOTE_REFUSED", message);
  }
  const salt = createHmac("sha256", password).update(`hostwright ${user}`).digest().subarray(0, 16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const key = (name: string): Buffer => createHmac("sha256", salted).update(name).digest();
  const stored = createHash("sha256").update(key("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${key("Server Key").toString("base64")}`;
}
