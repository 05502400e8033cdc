import type { HeldName } from "@hostwright/core";
import { type Directive, parseDump } from "./dump.ts";
import { ROOT } from "./paths.ts";

/** A listener that a foreign file declares, on a TCP port. */
export interface HeldListener {
  /** `*`, `[::]` or one address. */
  readonly address: string;
  readonly port: number;
  readonly isDefault: boolean;
  readonly file: string;
}

/** What files that are not ours already say, as far as it concerns our sites. */
export interface Foreign {
  readonly settings: readonly string[];
  readonly listeners: readonly HeldListener[];
  /** Does nginx.conf still include the folder in which our one include stands? */
  readonly includesUs: boolean;
}

function foreignDirectives(dump: string): readonly Directive[] {
  return parseDump(dump).filter(({ file }) => !file.startsWith(`${ROOT}/`));
}

const inServer = ({ context }: Directive): boolean => context.at(-2) === "http" && context.at(-1) === "server";

/**
 * Names in `server_name`, each with its file; in files of ours too: a store that was restored from a backup does not know
 * every site that is served. Catch-alls (`_`, "") and regular expressions hold no name.
 */
export function heldNames(dump: string): readonly HeldName[] {
  return parseDump(dump)
    .filter((directive) => inServer(directive) && directive.words[0] === "server_name")
    .flatMap(({ words, file }) => words.slice(1).flatMap((word) => namesOf(word).map((name) => ({ name, file }))));
}

function namesOf(word: string): readonly string[] {
  const name = word.toLowerCase();
  if (name.startsWith("~") || !name.includes(".")) return [];
  // ".example.com" is nginx's short form for the name and everything below it.
  return name.startsWith(".") ? [name.slice(1), `*${name}`] : [name];
}

function listenerOf({ words, file }: Directive): readonly HeldListener[] {
  const match = /^(?:(\[[^\]]+\]|[^:[\]]+?):)?(\d+)$|^(\[[^\]]+\]|[^:[\]]*[^:[\]\d][^:[\]]*|(?:\d+\.){3}\d+)$/.exec(
    words[1] ?? "",
  );
  if (match === null) return [];
  const isDefault = words.some((word) => word === "default_server" || word === "default");
  return [{ address: match[1] ?? match[3] ?? "*", port: Number(match[2] ?? 80), isDefault, file }];
}

export function foreignOf(dump: string): Foreign {
  const directives = foreignDirectives(dump);
  const http = directives.filter(({ context }) => context.length === 1 && context[0] === "http");
  return {
    settings: [...new Set(http.map(({ words }) => words[0] ?? ""))].toSorted(),
    listeners: directives.filter((one) => inServer(one) && one.words[0] === "listen").flatMap(listenerOf),
    includesUs: http.some(
      ({ words }) => words[0] === "include" && /^(?:\/etc\/nginx\/)?conf\.d\/\*(?:\.conf)?$/.test(words[1] ?? ""),
    ),
  };
}
