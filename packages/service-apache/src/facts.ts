import { webServerProblems, type Blame, type FactProbe, type Problem, type ServerView } from "@hostwright/core/plugin";
import type { ApacheOptions } from "./options.ts";
import { ROOT } from "./paths.ts";

/** The file, if any, that Apache names as the reason: `AH00526: Syntax error on line 3 of /etc/apache2/a.conf:` and a line. */
export function blame(output: string): Blame | null {
  const lines = output.split("\n");
  for (const [index, line] of lines.entries()) {
    // The innermost of several is the last.
    const said = [...line.matchAll(/rror on line \d+ of \/|> was not closed\. \/|in file \//g)].at(-1);
    if (said === undefined) continue;
    const rest = line.slice(said.index + said[0].length - 1).trimEnd();
    const file = rest.endsWith(":") ? rest.slice(0, -1) : rest;
    if (!file.includes(":")) return { file, message: lines[index + 1]?.trim() || line.trim() };
  }
  return null;
}

/** Lists all virtual hosts; nothing when Apache is absent or refuses its configuration: then stderr says why. */
export const dump: readonly string[] = ["apache2ctl", "-t", "-D", "DUMP_VHOSTS"];

/** What Apache loads; where it does not take its configuration as it stands, why (null: it names no file). */
interface Loaded {
  readonly modules: readonly string[];
  readonly refused?: Blame | null;
}

export const facts: Readonly<Record<string, FactProbe>> = {
  version: { argv: ["apache2", "-v"], parse: ({ stdout }) => /Apache\/(\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? null },
  loaded: {
    argv: ["apache2ctl", "-M"],
    parse: ({ exitCode, stdout, stderr }): Loaded => ({
      modules: [...stdout.matchAll(/^ (\w+)_module/gm)].map(([, name = ""]) => name),
      ...(exitCode !== 0 && { refused: blame(`${stdout}\n${stderr}`) }),
    }),
  },
  /** Sites of others' that name none: Apache takes the machine's own name and address for theirs. */
  nameless: {
    argv: ["sh", "-c", "cd /etc/apache2/sites-enabled && grep -LiE '^[[:space:]]*ServerName[[:space:]]' -- *.conf"],
    parse: ({ stdout }) => stdout.split("\n").filter((file) => file !== ""),
  },
  /** Ports that the distribution's and the administrator's files listen on. */
  listens: {
    argv: ["sh", "-c", "cat /etc/apache2/ports.conf /etc/apache2/sites-enabled/*.conf 2>/dev/null"],
    parse: ({ stdout }) => [...stdout.matchAll(/^[ \t]*Listen[ \t]+(?:\S+:)?(\d+)/gim)].map(([, port]) => Number(port)),
  },
};

export function listensOn({ facts: known }: ServerView, port: number): boolean {
  return ((known["listens"] as readonly number[] | null | undefined) ?? [80]).includes(port);
}

const SERVER = { name: "Apache", package: "apache2", root: ROOT, test: "apache2ctl -t" };

/** What keeps our sites from being served as they should; nothing here is edited by us. */
export function problems(view: ServerView): readonly Problem[] {
  const { httpPort } = view.service.options as ApacheOptions;
  const { modules, refused } = (view.facts["loaded"] ?? { modules: [], refused: null }) as Loaded;
  const php = modules.find((name) => /^php\d*$/.test(name));
  const nameless = (view.facts["nameless"] ?? []) as readonly string[];
  return webServerProblems(view, SERVER, refused, [
    php !== undefined && {
      message: `Apache runs PHP itself (${php}_module), as the user that may read every site's files.`,
      remedy:
        "Switch it off: `a2dismod 'php*' && a2dismod mpm_prefork && a2enmod mpm_event && systemctl restart apache2`.",
    },
    !modules.includes("mpm_event") && {
      message: `Apache does not run its event module: it would hold a process for each of its visitors on port ${httpPort}.`,
      remedy: "Switch to it: `a2dismod mpm_prefork mpm_worker && a2enmod mpm_event && systemctl restart apache2`.",
    },
    nameless.length > 0 && {
      message: `Requests for the server's own name or address are answered by ${nameless.join(", ")} of sites-enabled, not by a neutral site.`,
      remedy:
        "Give it a ServerName, or switch it off (Debian's stock site: a2dissite 000-default), then reload Apache.",
      tolerable: true,
    },
  ]);
}
