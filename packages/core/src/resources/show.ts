import { createHash } from "node:crypto";
import { octal, type PathState } from "./path-state.ts";

const LARGEST_SHOWN = 1024 * 1024;

export function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function showAttributes(attributes: {
  readonly owner: string;
  readonly group: string;
  readonly mode: number;
}): string {
  return `${attributes.owner}:${attributes.group} ${octal(attributes.mode)}`;
}

/** A thing at a path that is of another kind than the one declared. */
export function showOtherKind(state: PathState): string {
  switch (state.kind) {
    case "link":
      return printable(`(a link to ${state.target})`);
    case "other":
      return printable(`(${state.what})`);
    case "file":
    case "directory":
      return `(a ${state.kind}, ${showAttributes(state)})`;
  }
}

/** Contents as a person may see them on a terminal: text up to 1 MiB, otherwise size and hash. */
export function showContent(bytes: Uint8Array): string {
  const summary = `(${bytes.length} bytes, sha256 ${sha256(bytes)})`;
  if (bytes.length > LARGEST_SHOWN) return summary;
  try {
    return printable(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return summary;
  }
}

/** Control characters of foreign text are written out: they would steer the reader's terminal. */
export function printable(text: string): string {
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return text.replace(/[^\P{Cc}\n\t]|\p{Bidi_Control}/gu, escape);
}
