import { hash, randomInt } from "node:crypto";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SIZE = 64;
/** The least that crypt(3) takes: a web server computes it in its own process for every request, for all of its sites. */
const ROUNDS = 1000;

const digest = (...parts: readonly Uint8Array[]): Buffer => hash("sha512", Buffer.concat(parts), "buffer");

/** A password as crypt(3), nginx and Apache know it: Ulrich Drepper's SHA-crypt with SHA-512 and a salt of its own. */
export function hashPassword(password: string, salt: string = randomSalt(), rounds: number = ROUNDS): string {
  const [key, grain] = [Buffer.from(password), Buffer.from(salt)];
  const alternate = digest(key, grain, key);
  const first: Buffer[] = [key, grain, Buffer.alloc(key.length, alternate)];
  for (let bits = key.length; bits > 0; bits >>= 1) first.push((bits & 1) === 1 ? alternate : key);
  let result = digest(...first);
  const keys = Buffer.alloc(key.length, digest(...Array.from({ length: key.length }, () => key)));
  const salts = Buffer.alloc(grain.length, digest(...Array.from({ length: 16 + (result[0] ?? 0) }, () => grain)));
  for (let round = 0; round < rounds; round += 1) {
    const odd = round % 2 === 1;
    const parts = [odd ? keys : result];
    if (round % 3 !== 0) parts.push(salts);
    if (round % 7 !== 0) parts.push(keys);
    parts.push(odd ? result : keys);
    result = digest(...parts);
  }
  return `$6$rounds=${rounds}$${salt}$${encode(result)}`;
}

function randomSalt(): string {
  return Array.from({ length: 16 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join("");
}

/** The scheme takes three bytes for each group of four characters, a third of the digest apart and turning by one. */
function encode(result: Buffer): string {
  const at = (index: number): number => result[index] ?? 0;
  const groups = Array.from({ length: 21 }, (_, group) => {
    const byte = (place: number): number => at(((group + place) % 3) * 21 + group);
    return characters((byte(0) << 16) | (byte(1) << 8) | byte(2), 4);
  });
  return `${groups.join("")}${characters(at(SIZE - 1), 2)}`;
}

function characters(value: number, length: number): string {
  return Array.from({ length }, (_, index) => ALPHABET[(value >> (6 * index)) & 63]).join("");
}
