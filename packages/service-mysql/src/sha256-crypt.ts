import { hash } from "node:crypto";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SIZE = 32;
/** The order in which the scheme takes the digest's bytes, three for each group of four characters. */
const ORDER = Array.from({ length: 10 }, (_, group) => [0, 10, 20].map((third) => (21 * group + third) % 30));

const digest = (...parts: readonly Uint8Array[]): Buffer => hash("sha256", Buffer.concat(parts), "buffer");

/** The block repeated to exactly this length. */
function stretch(block: Buffer, length: number): Buffer {
  return Buffer.alloc(length, block);
}

/**
 * The digest of Ulrich Drepper's SHA-crypt with SHA-256, as 43 characters. MySQL uses it for caching_sha2_password with a
 * salt of 20 bytes, where crypt(3) stops at 16.
 */
export function sha256Crypt(password: string, salt: Buffer, rounds: number): string {
  const key = Buffer.from(password);
  const alternate = digest(key, salt, key);
  const first = [key, salt, stretch(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) first.push((bits & 1) === 1 ? alternate : key);
  let result = digest(...first);
  const keys = stretch(digest(stretch(key, key.length * key.length)), key.length);
  const salts = stretch(digest(stretch(salt, salt.length * (16 + (result[0] ?? 0)))), salt.length);
  for (let round = 0; round < rounds; round += 1) {
    const odd = round % 2 === 1;
    const parts = [odd ? keys : result];
    if (round % 3 !== 0) parts.push(salts);
    if (round % 7 !== 0) parts.push(keys);
    parts.push(odd ? result : keys);
    result = digest(...parts);
  }
  return encode(result);
}

function encode(result: Buffer): string {
  const at = (index: number): number => result[index] ?? 0;
  const groups = ORDER.map(([high = 0, middle = 0, low = 0]) =>
    characters((at(high) << 16) | (at(middle) << 8) | at(low), 4),
  );
  return `${groups.join("")}${characters((at(SIZE - 1) << 8) | at(SIZE - 2), 3)}`;
}

function characters(value: number, length: number): string {
  return Array.from({ length }, (_, index) => ALPHABET[(value >> (6 * index)) & 63]).join("");
}
