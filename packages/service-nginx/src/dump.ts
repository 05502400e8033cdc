/** One directive of a foreign file: `words` is name and arguments, `context` the blocks around it by name. */
export interface Directive {
  readonly file: string;
  readonly context: readonly string[];
  readonly words: readonly string[];
}

const FILE = "# configuration file ";
const TOKEN = /\s+|#[^\n]*|([{};])|"((?:\\[^]|[^"\\])*)"|'((?:\\[^]|[^'\\])*)'|((?:\\[^]|[^\s;{}\\])+)/y;

function* directivesOf(file: string, text: string, context: string[]): Generator<Directive> {
  let words: string[] = [];
  TOKEN.lastIndex = 0;
  // Parsing is best effort: nginx itself has accepted the text, so whatever is not understood here is passed over.
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      TOKEN.lastIndex = at + 1;
      continue;
    }
    const [, sign, double, single, plain] = match;
    const word = double ?? single ?? plain;
    if (word !== undefined) words.push(word);
    if (sign === undefined) continue;
    if (sign !== "}" && words.length > 0) yield { file, context: [...context], words };
    if (sign === "{") context.push(words[0] ?? "");
    if (sign === "}") context.pop();
    words = [];
  }
}

/**
 * The directives in `nginx -T`'s output. nginx prints each file by itself, not where it is included: files other than the
 * first are read as if they stood in `http`, where Debian includes sites.
 */
export function parseDump(dump: string): readonly Directive[] {
  const parts = dump.split(new RegExp(`^${FILE}(.+):$`, "m")).slice(1);
  const found: Directive[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    found.push(...directivesOf(parts[index] ?? "", parts[index + 1] ?? "", index === 0 ? [] : ["http"]));
  }
  return found;
}
