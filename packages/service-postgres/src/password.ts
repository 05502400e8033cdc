import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** Every login of PHP computes them too. They slow down who guesses, and nobody guesses 32 random bytes. */
const ITERATIONS = 100;

/**
 * What the server keeps of a password (RFC 5802, in the form of PostgreSQL's `pg_authid.rolpassword`), made here: the
 * password itself is never sent. The salt follows from both, so that the same password is seen to be the same.
 */
export function scramVerifier(user: string, password: string): string {
  const salt = createHmac("sha256", password).update(`hostwright ${user}`).digest().subarray(0, 16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const key = (name: string): Buffer => createHmac("sha256", salted).update(name).digest();
  const stored = createHash("sha256").update(key("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${key("Server Key").toString("base64")}`;
}
