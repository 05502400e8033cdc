import { randomBytes } from "node:crypto";
import { shaCrypt } from "../model/sha-crypt.ts";

/** The least that crypt(3) takes: a web server computes it in its own process for every request, for all of its sites. */
const ROUNDS = 1000;

/** A password as crypt(3), nginx and Apache know it: SHA-crypt with SHA-512 and a salt of its own, of 16 letters. */
export function hashPassword(password: string, salt: string = randomSalt(), rounds: number = ROUNDS): string {
  return `$6$rounds=${rounds}$${salt}$${shaCrypt("sha512", password, Buffer.from(salt), rounds)}`;
}

/** Sixteen letters that crypt(3) takes. */
function randomSalt(): string {
  return randomBytes(12).toString("base64").replaceAll("+", ".");
}
