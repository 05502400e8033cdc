import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Target } from "../src/contracts/resource.ts";
import type { Publication } from "../src/contracts/publication.ts";
import { LocalServer } from "../src/servers/local-server.ts";
import { testTarget } from "./test-target.ts";

/** How the fake differs. */
export interface FakeWebOptions {
  /** It is asked by a command what is in force, and really waited for; default: over HTTP, and it is not waited for. */
  readonly byCommand?: boolean;
  /** It refuses to be without a generation. Default false. */
  readonly needsOne?: boolean;
}

/**
 * The publisher's real scripts on this machine; only the web server is a fake. An entry is a list of words: `bad` is refused
 * by itself, `bad-beside:k` when another entry with the same word stands in the generation; `kills` passes its test, and
 * makes it fail at the reload.
 */
export class FakeWeb {
  readonly folder: string = mkdtempSync(join(tmpdir(), "publisher-"));
  readonly root: string = join(this.folder, "root");
  readonly server: LocalServer = new LocalServer("here");
  /** Does its test name the entry that it refuses? */
  readonly names: boolean;
  readonly target: Target;
  readonly #byCommand: boolean;

  constructor(names: boolean, { byCommand = false, needsOne = false }: FakeWebOptions = {}) {
    this.names = names;
    this.#byCommand = byCommand;
    const bin = join(this.folder, "bin");
    for (const path of [bin, join(this.root, "entries")]) mkdirSync(path, { recursive: true });
    const perl = execFileSync("sh", ["-c", "command -v perl"], { encoding: "utf8" }).trim();
    const programs = {
      systemctl: `[ "$1" = reload ] || exit 0
        echo x >> ${this.folder}/reloads; ! grep -qs kills ${this.root}/current/*.conf && cat ${this.root}/current/000-status.conf > ${this.folder}/loaded`,
      journalctl: "exit 0",
      sync: "exit 0",
      // The waiter looks at a socket of the web server; the search is real.
      perl: `case ${byCommand}$2 in false*IO::Socket*) exit 0 ;; esac; exec ${perl} "$@"`,
      "web-test": `echo x >> ${this.folder}/tests; ${needsOne ? `[ -d ${this.root}/current ] || { echo nothing is there; exit 1; };` : ""}
        exec ${perl} ${this.folder}/test.pl ${this.root}/current ${names ? 1 : 0}`,
    };
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    writeFileSync(
      join(this.folder, "test.pl"),
      String.raw`my ($dir, $names) = @ARGV; my %seen;
        for my $file (sort glob "$dir/*.conf") {
          open my $in, "<", $file or die; local $/;
          for my $word (split " ", <$in>) {
            next unless $word eq "bad" || $word =~ /^bad-beside/ && $seen{$word}++;
            print STDERR $names ? "refused: $word in $file" : "something is wrong", "\nof several lines\n"; exit 1;
          }
        }`,
    );
    const base = testTarget({}, this.server);
    const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}` };
    this.target = { ...base, mutate: async (script) => this.server.script({ ...script, env }) };
  }

  get publication(): Publication {
    return {
      root: this.root,
      unit: "web.service",
      test: ["web-test"],
      blame: (output) => {
        const match = /^refused: (\S+ in (.+))$/m.exec(output);
        return match === null ? null : { message: match[1] ?? "", file: match[2] ?? "" };
      },
      status: this.#byCommand ? { command: ["cat", join(this.folder, "loaded")] } : { port: 1, path: "/" },
      statusEntry: (generation) => ({ name: "000-status.conf", content: `${generation}\n` }),
    };
  }

  /** Sets entries; null removes one. */
  write(entries: ReadonlyMap<string, string | null>): void {
    for (const [name, content] of entries) {
      const path = join(this.root, "entries", name);
      if (content === null) rmSync(path, { force: true });
      else writeFileSync(path, content);
    }
  }

  /** What is in force, without the status entry. */
  inForce(): Map<string, string> {
    const current = join(this.root, "current");
    if (!existsSync(current)) return new Map();
    const names = readdirSync(current).filter((name) => name !== "000-status.conf");
    return new Map(names.map((name) => [name, readFileSync(join(current, name), "utf8")]));
  }

  /** Times since the last call that its test, or its reload, ran. */
  count(what: "tests" | "reloads"): number {
    const path = join(this.folder, what);
    const lines = existsSync(path) ? readFileSync(path, "utf8").length / 2 : 0;
    rmSync(path, { force: true });
    return lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
