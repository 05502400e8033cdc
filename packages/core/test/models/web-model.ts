import type { Target } from "../../src/contracts/resource.ts";
import type { Publication } from "../../src/contracts/publication.ts";
import type { CommandResult, Script } from "../../src/model/server.ts";
import { PENDING, PUBLISH } from "../../src/engine/publishing/publisher-script.ts";
import { HostwrightError } from "../../src/errors/hostwright-error.ts";
import { testTarget } from "../test-target.ts";

export type Entries = ReadonlyMap<string, string>;

/** Where a publisher may die in the middle of its script. */
export type Point = "copied" | "switched" | "reloaded";
type Quarantined = { readonly name: string; readonly reason: string };

const NONE: Entries = new Map();
const ROOT = "/srv/web";
const STATUS = "000-status.conf";

/** Does the web server's test accept it? Two entries with the same word `beside` refuse each other. */
export function accepts(entries: Entries): boolean {
  const words = [...entries.values()];
  return !words.includes("bad") && words.filter((word) => word === "beside").length < 2;
}

/** What the fixed script does on a server, with a web server that refuses and falls over as it is told by its entries. */
export class WebModel {
  readonly entries = new Map<string, string>();
  /** An administrator's own file is broken. */
  foreign = false;
  /** Where the next publisher dies; null: it does not. */
  dies: Point | null = null;
  /** What the running web server has loaded. */
  loaded: Entries = NONE;
  reloads = 0;
  readonly #generations = new Map<number, Entries>();
  #current = 0;
  #former: number | null = null;
  #last = 0;
  #quarantined = new Map<string, { readonly text: string | undefined; readonly reason: string }>();
  readonly #names: boolean;

  /** `names`: its messages name the entry that is refused. */
  constructor(names: boolean) {
    this.#names = names;
  }

  get inForce(): Entries {
    return this.#generations.get(this.#current) ?? NONE;
  }

  get publication(): Publication {
    return {
      root: ROOT,
      unit: "web.service",
      test: ["web-test"],
      blame: (output) => {
        const file = /refused in (\S+)/.exec(output)?.[1];
        return file === undefined ? null : { file, message: "refused" };
      },
      status: { port: 1, path: "/" },
      statusEntry: (generation) => ({ name: STATUS, content: `${generation}\n` }),
    };
  }

  get target(): Target {
    const answer = (stdout: string): CommandResult => ({
      exitCode: 0,
      signal: null,
      stdout: Buffer.from(stdout),
      stderr: "",
      timedOut: false,
      aborted: false,
      truncated: false,
    });
    const run = async ({ script, args = [], stdin }: Script): Promise<CommandResult> => {
      if (script === PENDING) return answer(this.#pending());
      if (script === PUBLISH) return answer(this.#publish(args, typeof stdin === "string" ? stdin : ""));
      throw new Error("a script that the model does not know");
    };
    const base = testTarget({}, { name: "web0", script: run } as never);
    return { ...base, mutate: run };
  }

  #pending(): string {
    const lines = this.#former === null ? [] : ["unfinished"];
    lines.push(...this.#differing().map((name) => `waits ${name}`));
    for (const [name, { text, reason }] of this.#quarantined) {
      if (text === this.entries.get(name)) lines.push(`quarantined ${name} ${reason}`);
    }
    return `${lines.join("\n")}\n`;
  }

  #publish(args: readonly string[], stdin: string): string {
    const [force, search] = args.slice(7, 9);
    const [first = "", ...lines] = stdin.split("\n");
    let quarantined: Quarantined[] = lines
      .filter((line) => line !== "")
      .map((line) => ({ name: line.split(" ")[0] ?? "", reason: line.slice(line.indexOf(" ") + 1) }));
    const isForced = force === "1" || this.#former !== null;
    if (this.#former !== null) this.#back(this.#former);
    const now = this.#current;
    let changed = this.#differing().filter((name) => !quarantined.some((one) => one.name === name));
    if (changed.length === 0 && !isForced) return this.#finish("unchanged", changed, quarantined);
    const before = this.#last;
    const next = (this.#last = Math.max(this.#last, now) + 1);
    this.#stop("copied");
    this.#former = now;
    this.#generations.set(next, this.#without(quarantined));
    this.#current = next;
    this.#stop("switched");
    if (!accepts(this.inForce) || this.foreign) {
      const said = this.foreign ? "refused in /etc/web.conf" : this.#refusal(this.inForce);
      const giveUp = (word: string): string => {
        this.#back(now);
        this.#last = before;
        return this.#finish(word, changed, quarantined, said);
      };
      if (this.foreign) return giveUp("foreign");
      if (search !== "1") return giveUp("refused");
      const found = this.#search(changed, first.split(" "), quarantined);
      quarantined = [...quarantined, ...found];
      changed = changed.filter((name) => !found.some((one) => one.name === name));
      if (changed.length === 0 && !isForced) return giveUp("unchanged");
      this.#generations.set(next, this.#without(quarantined));
    }
    this.reloads++;
    if ([...this.inForce.values()].includes("kills")) {
      this.#back(now);
      return this.#finish("failed", changed, quarantined, "it fell over");
    }
    this.loaded = this.inForce;
    this.#stop("reloaded");
    this.#former = null;
    return this.#finish("published", changed, quarantined);
  }

  #without(quarantined: readonly Quarantined[]): Entries {
    const made = new Map(this.entries);
    const former = this.#generations.get(this.#former ?? 0);
    for (const { name } of quarantined) {
      const text = former?.get(name);
      if (text === undefined) made.delete(name);
      else made.set(name, text);
    }
    return made;
  }

  /** One after the other beside those before it, the caller's first. */
  #search(changed: readonly string[], first: readonly string[], quarantined: readonly Quarantined[]): Quarantined[] {
    const ordered = changed.toSorted((a, b) => Number(first.includes(b)) - Number(first.includes(a)));
    let found: Quarantined[] = ordered.map((name) => ({ name, reason: this.#refusal(new Map([[name, ""]])) }));
    for (;;) {
      const fits = found.find(({ name }) =>
        accepts(this.#without([...quarantined, ...found.filter((one) => one.name !== name)])),
      );
      if (fits === undefined) return found;
      found = found.filter((one) => one !== fits);
    }
  }

  #refusal(entries: Entries): string {
    const [culprit] = [...entries].find(([, text]) => text === "bad" || text === "beside" || text === "") ?? [];
    return this.#names && culprit !== undefined ? `refused in ${ROOT}/current/${culprit}` : "something is wrong";
  }

  #back(to: number): void {
    this.#current = to;
    for (const number of this.#generations.keys()) if (number > to) this.#generations.delete(number);
    this.loaded = this.inForce;
    this.#former = null;
  }

  #differing(): string[] {
    const names = new Set([...this.entries.keys(), ...this.inForce.keys()]);
    return [...names].filter((name) => this.entries.get(name) !== this.inForce.get(name)).toSorted();
  }

  #finish(word: string, changed: readonly string[], quarantined: readonly Quarantined[], said: string = ""): string {
    if (word === "published" || word === "unchanged") {
      this.#quarantined = new Map(
        quarantined.map(({ name, reason }) => [name, { text: this.entries.get(name), reason }]),
      );
    }
    const lines = [`${word} ${this.#current} yes yes`, changed.join(" "), String(quarantined.length)];
    return [...lines, ...quarantined.map(({ name, reason }) => `${name} ${reason}`), said].join("\n");
  }

  #stop(point: Point): void {
    if (this.dies !== point) return;
    this.dies = null;
    throw new HostwrightError("HW_SSH_LOST", "the publisher died", { retryable: true });
  }
}
