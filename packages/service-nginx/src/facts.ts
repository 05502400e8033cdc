import { webServerProblems, type Blame, type FactProbe, type Problem, type ServerView } from "@hostwright/core/plugin";
import { foreignOf, type Foreign } from "./served-names.ts";
import type { NginxOptions } from "./options.ts";
import { ROOT } from "./paths.ts";

/** The file, if any, that nginx names as the reason: `nginx: [emerg] unknown directive "x" in /etc/nginx/a.conf:3`. */
export function blame(output: string): Blame | null {
  for (const line of output.split("\n")) {
    const said = /\[(?:emerg|alert|crit)\] (?:\d+#\d+: )?/.exec(line);
    if (said === null) continue;
    const message = line.slice(said.index + said[0].length);
    const at = message.indexOf(" in /");
    const file = at < 0 ? undefined : /^ in (\/.+):\d+$/.exec(message.slice(at))?.[1];
    if (file !== undefined) return { file, message };
  }
  return null;
}

// A thousand sites are megabytes that nobody asks for: our own files stay on the server, with `names` but for theirs.
const READ = `nginx -T | awk -v own="$1" -v names="$2" '
  /^# configuration file / { ours = index($4, own) == 1; if (ours) { head = $0; next } }
  !ours { print }
  ours && names && /^[ \t]*server_name / { if (head != "") print head; head = ""; print "server {" $0 "}" }'`;

/** Prints all foreign configuration and our names; nothing when nginx is absent or refuses it: then stderr says why. */
export const dump: readonly string[] = ["sh", "-c", READ, "sh", `${ROOT}/`, "names"];

/** What others' configuration says; where nginx does not take it as it stands, why (null: it names no file). */
type Loaded = Foreign & { readonly refused?: Blame | null };

const NOTHING = foreignOf("");

export const facts: Readonly<Record<string, FactProbe>> = {
  version: { argv: ["nginx", "-v"], parse: ({ stderr }) => /nginx\/(\d+(?:\.\d+)+)/.exec(stderr)?.[1] ?? null },
  foreign: {
    argv: ["sh", "-c", READ, "sh", `${ROOT}/`, ""],
    parse: ({ stdout, stderr }): Loaded =>
      stdout.trim() === "" ? { ...NOTHING, refused: blame(stderr) } : foreignOf(stdout),
  },
};

export function foreignIn({ facts: known }: ServerView): Loaded {
  return (known["foreign"] as Loaded | null | undefined) ?? { ...NOTHING, refused: null };
}

const WILDCARD = ["*", "0.0.0.0", "[::]"];
const SERVER = { name: "nginx", package: "nginx-light", root: ROOT, test: "nginx -t" };

/** What keeps our sites from being served as they should; nothing here is edited by us. */
export function problems(view: ServerView): readonly Problem[] {
  const { httpPort } = view.service.options as NginxOptions;
  const { refused, listeners, includesUs } = foreignIn(view);
  const files = (some: typeof listeners): string => [...new Set(some.map(({ file }) => file))].join(", ");
  const here = listeners.filter(({ port }) => port === httpPort);
  const defaults = here.filter(({ isDefault, address }) => isDefault && WILDCARD.includes(address));
  const narrow = here.filter(({ address }) => !WILDCARD.includes(address));
  return webServerProblems(view, SERVER, refused, [
    !includesUs && {
      message: "/etc/nginx/nginx.conf does not include /etc/nginx/conf.d/*.conf: no site would be served.",
      remedy: "Put `include /etc/nginx/conf.d/*.conf;` back into its http block.",
    },
    defaults.length > 0 && {
      message: `Requests for unknown names on port ${httpPort} are answered by ${files(defaults)}, not by a neutral site.`,
      remedy: "Remove that file (Debian's stock site: rm /etc/nginx/sites-enabled/default), then reload nginx.",
      tolerable: true,
    },
    narrow.length > 0 && {
      message: `${files(narrow)} listens on ${narrow.map(({ address }) => address).join(", ")} port ${httpPort}: nginx sends no request for that address to our sites.`,
      remedy: `Let it listen on the port alone (\`listen ${httpPort};\`).`,
    },
  ]);
}
