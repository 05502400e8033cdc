import { createHash, randomInt } from "node:crypto";

// No vowels and no look-alikes: an id never spells a word and survives being read aloud.
const ALPHABET = "bcdfghjkmnpqrstvwxz23456789";

/** Of records: a name of this form could be taken for the id of another one. */
export const RECORD_ID: RegExp = /^[rsv][bcdfghjkmnpqrstvwxz23456789]{9}$/;

/** A short random id that begins with its letter, valid as a file name, unix user and database name. */
export function newId(letter: string, length = 10): string {
  let id = letter;
  while (id.length < length) id += ALPHABET[randomInt(ALPHABET.length)];
  return id;
}

/** The id of a child of a task, by its place: whoever puts it into the line again meets it there. */
export function childId(parent: string, place: number): string {
  const digest = createHash("sha256").update(`${parent}/${place}`).digest();
  return `t${[...digest.subarray(0, 15)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("")}`;
}
