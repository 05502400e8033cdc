import type { ServedName } from "@hostwright/core/plugin";
import { COMPILED, ROOT } from "./paths.ts";

/** What files that are not ours already say, as far as it concerns our sites. */
export interface Foreign {
  /** Names of directives in `http`, and `pcre_jit`. */
  readonly settings: readonly string[];
  /** On TCP ports; `address` is `*`, `[::]` or one address. */
  readonly listeners: readonly { address: string; port: number; isDefault: boolean; file: string }[];
  /** Does nginx.conf still include the folder in which our one include stands? */
  readonly includesUs: boolean;
}

// Best effort: nginx itself has accepted the text, so whatever is not understood here is passed over.
const TOKEN = /#[^\n]*|([{};])|"((?:\\[^]|[^"\\])*)"|'((?:\\[^]|[^'\\])*)'|((?:\\[^]|[^\s;{}\\])+)/g;

/**
 * The directives in `nginx -T`'s output; `at` is the name, behind those of the blocks around it. nginx prints each file by itself, not where it is included: files other than the
 * first are read as if they stood in `http`, where Debian includes sites.
 */
function directivesOf(dump: string) {
  const found: { file: string; at: string; words: readonly string[] }[] = [];
  const [, ...files] = dump.split(/^# configuration file (?=.+:$)/m);
  for (const [index, part] of files.entries()) {
    const [file = ""] = part.split(":\n", 1);
    const blocks = index === 0 ? [] : ["http"];
    let words: string[] = [];
    for (const [, sign, double, single, plain] of part.slice(file.length + 2).matchAll(TOKEN)) {
      const word = double ?? single ?? plain;
      if (word !== undefined) words.push(word);
      if (sign === undefined) continue;
      const [name = "", ...values] = words;
      if (words.length > 0 && sign !== "}") found.push({ file, at: [...blocks, name].join(" "), words: values });
      if (sign === "{") blocks.push(name);
      if (sign === "}") blocks.pop();
      words = [];
    }
  }
  return found;
}

/**
 * Names in `server_name`, each with its file; in files of ours too: a store that was restored from a backup does not know
 * every site that is served. Catch-alls (`_`, "") and regular expressions hold no name.
 */
export function servedNames(dump: string): readonly ServedName[] {
  return directivesOf(dump)
    .filter(({ at }) => at.endsWith("http server server_name"))
    .flatMap(({ words, file }) => words.flatMap(namesOf).map((name) => ({ name, file })));
}

function namesOf(word: string): readonly string[] {
  const name = word.toLowerCase();
  if (name.startsWith("~") || !name.includes(".")) return [];
  // ".example.com" is nginx's short form for the name and everything below it.
  return name.startsWith(".") ? [name.slice(1), `*${name}`] : [name];
}

/** The port behind its address, if it has one: `10.0.0.1:80`, `80`; else an address alone: `[::]`. */
const PORT = /^(?:(\[[^\]]+\]|[^:[\]]+):)?(\d+)$/;
const ADDRESS = /^(?:\[[^\]]+\]|[^:[\]]+)$/;

export function foreignOf(dump: string): Foreign {
  const directives = directivesOf(dump).filter(({ file }) => file !== COMPILED.path && !file.startsWith(`${ROOT}/`));
  const ours = /^(?:\/etc\/nginx\/)?conf\.d\/\*(?:\.conf)?$/;
  const listens = directives.filter(({ at }) => at.endsWith("http server listen"));
  return {
    settings: [
      ...new Set(directives.flatMap(({ at }) => /^(?:http )?(pcre_jit|(?<=^http )\S+)$/.exec(at)?.[1] ?? [])),
    ].toSorted(),
    listeners: listens.flatMap(({ words: [place = "", ...flags], file }) => {
      const [numbered, before = "*", port = 80] = PORT.exec(place) ?? [];
      const address = numbered === undefined ? ADDRESS.exec(place)?.[0] : before;
      const isDefault = flags.includes("default_server") || flags.includes("default");
      return address === undefined ? [] : [{ address, port: Number(port), isDefault, file }];
    }),
    includesUs: directives.some(({ at, words: [path = ""] }) => at === "http include" && ours.test(path)),
  };
}
