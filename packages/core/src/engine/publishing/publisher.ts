import type { Target } from "../../contracts/resource.ts";
import type { Publication, PublicationStatus } from "../../contracts/publication.ts";
import { quoteArgv } from "../../servers/quote-argv.ts";
import { blamedEntry, blamesForeign, brokenOff, notPublished, reasonOf } from "./publication-error.ts";
import type { QuarantinedEntry, Outcome } from "./outcome.ts";
import { GENERATION_MARK, PENDING, PUBLISH } from "./publisher-script.ts";
import { SEARCH, SEARCH_SECONDS } from "./publisher-search.ts";
import { AWAIT } from "./publisher-wait.ts";

export interface PublishOptions {
  /** A new generation and a reload although no entry differs: something outside of the entries changed. Default false. */
  readonly force?: boolean;
  /**
   * Entries that the caller answers for. When the service refuses another task's entry, that one is left as it is in
   * force and the rest is published. Default: every entry counts, and any refused one fails the publication.
   */
  readonly own?: readonly string[];
  /**
   * Another unit that gives way: its port is freed right before this service is started, and it runs again when that
   * does not come to answer. Default: none.
   */
  readonly instead?: { readonly unit: string; readonly port: number };
}

export interface PublishResult {
  /** The generation in force; 0 when there is none yet. */
  readonly generation: number;
  /** Is it a new one? */
  readonly changed: boolean;
  /** Did the service take it by a reload? False when it had to be started, or nothing changed. */
  readonly reloaded: boolean;
  /** Entries that differed from the generation in force before. */
  readonly entries: readonly string[];
  /** Entries of others that are not in it as their tasks wrote them. */
  readonly quarantined: readonly QuarantinedEntry[];
}

/** What waits in the entries of a service. */
export interface Pending {
  /** Is there something that a publication would, or might, put in force? */
  readonly waits: boolean;
  /** Refused by the last publication, and unchanged since. */
  readonly quarantined: readonly QuarantinedEntry[];
}

interface Attempt {
  readonly force: boolean;
  readonly first: readonly string[];
  readonly quarantined: readonly QuarantinedEntry[];
  readonly search: boolean;
  readonly instead: PublishOptions["instead"];
}

/** An entry's file name as it may travel in a list between spaces. */
const NAME = /^[\w][\w.-]*$/;
/** Found one by one, each by the message that names it. More than these, and what no message names, is searched for. */
const MOST_BY_MESSAGE = 20;
/** Above what the script itself waits for: the lock, a search, a reload and its answer, and both again to go back. */
const TIMEOUT_MS = 720_000;

function common(publication: Publication): readonly string[] {
  const { name, content } = publication.statusEntry(GENERATION_MARK);
  return [publication.root, name, content.trimEnd()];
}

/** Port and path, or 0 and a command line. */
function asking(status: PublicationStatus): readonly [string, string] {
  return "command" in status ? ["0", `exec ${quoteArgv(status.command)}`] : [String(status.port), status.path];
}

/** Do entries wait for a publication, or was one left unfinished? One round trip that changes nothing. */
export async function pendingPublication(target: Target, publication: Publication): Promise<Pending> {
  const result = await target.server.script({ script: PENDING, args: common(publication), signal: target.signal });
  if (result.exitCode !== 0) throw brokenOff(target, publication, result);
  const lines = result.stdout.toString().split("\n");
  const after = (word: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const differing = after("waits");
  const quarantined = after("quarantined")
    .map((line) => quarantinedEntry(publication, line))
    .filter(({ name }) => differing.includes(name));
  const waits =
    lines.includes("unfinished") || differing.some((name) => !quarantined.some((entry) => entry.name === name));
  return { waits, quarantined };
}

/**
 * Puts the entries in `<root>/entries/` in force as one numbered generation (decisions.md D18), in one round trip where the
 * service takes all of them. A refused entry is found by the message that names it, else by halving; it is quarantined,
 * and all others are published. What is refused only at the reload is not searched for: one more attempt publishes the
 * caller's entries beside what is in force of the others. Entries stay as their tasks wrote them.
 * @throws HW_HTTP_FOREIGN_CONFIG when the configuration was broken before, with the file in `data.file`.
 * @throws HW_HTTP_CONFIG_REFUSED when its test refuses what the caller answers for; `data.entries` names it where it can be told.
 * @throws HW_HTTP_RELOAD_FAILED when the service did not take it: it says why, or was not done within 90 s. The
 * former generation is in force again.
 */
export async function publish(
  target: Target,
  publication: Publication,
  options: PublishOptions = {},
): Promise<PublishResult> {
  const { own, force = false } = options;
  const isOwn = ({ name }: Pick<QuarantinedEntry, "name">): boolean => own?.includes(name) ?? true;
  const status = publication.statusEntry(GENERATION_MARK).name;
  const plain = {
    instead: options.instead,
    force,
    first: (own ?? []).filter((name) => NAME.test(name)),
    search: false,
  };
  let next: Attempt = { ...plain, quarantined: [] };
  let [byMessage, alone] = [0, false];
  for (;;) {
    const outcome = await attempt(target, publication, next);
    const { word, generation, changed, quarantined } = outcome;
    const done = word === "published" || word === "unchanged";
    const mine = quarantined.filter(isOwn);
    if (mine.length > 0) throw notPublished(target, publication, { ...outcome, word: done ? word : "refused" }, mine);
    if (done) {
      const isNew = word === "published";
      return { generation, changed: isNew, reloaded: isNew && outcome.ran, entries: changed, quarantined };
    }
    const others = changed.filter((name) => !isOwn({ name }) && name !== status && NAME.test(name));
    if (word === "refused" && !next.search && (changed.length > 1 || others.length > 0)) {
      const blamed = changed.length === 1 ? others[0] : blamedEntry(publication, outcome.said);
      const known = blamed !== undefined && blamed !== null && others.includes(blamed);
      if (known && byMessage++ < MOST_BY_MESSAGE)
        next = {
          ...plain,
          quarantined: [...quarantined, { name: blamed, reason: reasonOf(publication, outcome.said) }],
        };
      else next = { ...plain, quarantined: byMessage > MOST_BY_MESSAGE ? quarantined : [], search: true };
    } else if (word === "failed" && outcome.runs && !alone && others.length > 0) {
      alone = true;
      const reason = `not taken at the reload, by itself or with others: ${reasonOf(publication, outcome.said)}`;
      next = { ...plain, quarantined: [...quarantined, ...others.map((name) => ({ name, reason }))] };
    } else throw notPublished(target, publication, outcome, []);
  }
}

async function attempt(target: Target, publication: Publication, asked: Attempt): Promise<Outcome> {
  const { force, first, quarantined, search, instead } = asked;
  const { unit, test, status, errorLog = "" } = publication;
  const result = await target.mutate({
    script: PUBLISH,
    args: [
      ...common(publication),
      unit,
      ...asking(status),
      errorLog,
      force ? "1" : "0",
      search ? "1" : "0",
      AWAIT,
      SEARCH,
      String(SEARCH_SECONDS),
      instead?.unit ?? "",
      String(instead?.port ?? 0),
      ...test,
    ],
    stdin: [first.join(" "), ...quarantined.map(({ name, reason }) => `${name} ${reason}`), ""].join("\n"),
    timeoutMs: TIMEOUT_MS,
  });
  const [head = "", changed = "", count = "", ...rest] = result.stdout.toString().split("\n");
  const [word = "", generation = "", runs = "", ran = ""] = head.split(" ");
  if (result.exitCode !== 0 || !/^\d+$/.test(generation)) throw brokenOff(target, publication, result);
  const said = rest.slice(Number(count)).join("\n");
  // A service that cannot do without any generation has none to go back to before the first one.
  const isOurs = word === "foreign" && generation === "0" && !blamesForeign(publication, said);
  return {
    word: isOurs ? "refused" : word,
    generation: Number(generation),
    runs: runs === "yes",
    ran: ran === "yes",
    changed: changed.split(" ").filter((name) => name !== ""),
    quarantined: rest.slice(0, Number(count)).map((line) => quarantinedEntry(publication, line)),
    said,
  };
}

/** Reasons of several lines travel in one, with tabs. */
function quarantinedEntry(publication: Publication, line: string): QuarantinedEntry {
  const [name = "", ...words] = line.split(" ");
  return { name, reason: reasonOf(publication, words.join(" ").replaceAll("\t", "\n")) };
}
