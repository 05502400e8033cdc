// Node 18 has no `hash` to import by its name, and is to be told that it is too old (node-version.ts).
import crypto from "node:crypto";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Bytes of a third of what is taken in groups, and how the thirds turn from group to group. */
const ORDERS = { sha256: { third: 10, turn: 2 }, sha512: { third: 21, turn: 1 } } as const;

/**
 * The digest of Ulrich Drepper's SHA-crypt (SHA-crypt.txt) in its own letters: 43 of SHA-256, 86 of SHA-512. crypt(3) takes
 * salts of up to 16 bytes; here they may be longer, as those of MySQL's caching_sha2_password are.
 */
export function shaCrypt(algorithm: keyof typeof ORDERS, password: string, salt: Buffer, rounds: number): string {
  const digest = (...parts: readonly Uint8Array[]): Buffer => crypto.hash(algorithm, Buffer.concat(parts), "buffer");
  const repeated = (part: Buffer, times: number): Buffer => digest(Buffer.alloc(part.length * times, part));
  const key = Buffer.from(password);
  const alternate = digest(key, salt, key);
  const first = [key, salt, Buffer.alloc(key.length, alternate)];
  for (let bits = key.length; bits > 0; bits >>= 1) first.push((bits & 1) === 1 ? alternate : key);
  let result = digest(...first);
  const keys = Buffer.alloc(key.length, repeated(key, key.length));
  const salts = Buffer.alloc(salt.length, repeated(salt, 16 + (result[0] ?? 0)));
  for (let round = 0; round < rounds; round += 1) {
    const odd = round % 2 === 1;
    const parts = [odd ? keys : result];
    if (round % 3 !== 0) parts.push(salts);
    if (round % 7 !== 0) parts.push(keys);
    parts.push(odd ? result : keys);
    result = digest(...parts);
  }
  return encode(result, ORDERS[algorithm]);
}

/** Three bytes for each group of four letters, one of each third; what is left over comes last. */
function encode(result: Buffer, { third, turn }: (typeof ORDERS)[keyof typeof ORDERS]): string {
  const groups = Array.from({ length: third }, (_, group) => {
    const byte = (place: number): number => result[((turn * group + place) % 3) * third + group] ?? 0;
    return letters((byte(0) << 16) | (byte(1) << 8) | byte(2), 4);
  });
  const left = result.subarray(3 * third);
  return groups.join("") + letters(left.readUIntLE(0, left.length), left.length + 1);
}

function letters(value: number, count: number): string {
  return Array.from({ length: count }, (_, index) => ALPHABET[(value >> (6 * index)) & 63]).join("");
}
