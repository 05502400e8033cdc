import type { FactProbe, Problem, ServerView } from "@hostwright/core";
import { blame, type Blame } from "./blame.ts";
import { type Foreign, foreignOf } from "./held-names.ts";
import type { NginxOptions } from "./options.ts";
import { ROOT } from "./paths.ts";

// A thousand sites are megabytes that nobody asks for: our own files stay on the server.
const DUMP = `nginx -T | awk -v own="$1" '/^# configuration file / { ours = index($4, own) == 1 } !ours'`;
// Of our own files only the names: a store that was restored from a backup does not know every site that is served.
const NAMES = `nginx -T | awk -v own="$1" '
  /^# configuration file / { ours = index($4, own) == 1; if (ours) { head = $0; next } }
  !ours { print }
  ours && /^[ \t]*server_name / { if (head != "") print head; head = ""; print "server {" $0 "}" }'`;

/** Prints all effective configuration but our own; nothing when nginx is absent or refuses it: then stderr says why. */
const foreign: readonly string[] = ["sh", "-c", DUMP, "sh", `${ROOT}/`];

/** The same with the names in our own configuration. */
export const dump: readonly string[] = ["sh", "-c", NAMES, "sh", `${ROOT}/`];

export const facts: Readonly<Record<string, FactProbe>> = {
  version: { argv: ["nginx", "-v"], parse: ({ stderr }) => /nginx\/(\d+(?:\.\d+)+)/.exec(stderr)?.[1] ?? null },
  foreign: {
    argv: foreign,
    parse: ({ stdout, stderr }): Foreign | Refused =>
      stdout.trim() === "" ? { refused: blame(stderr) } : foreignOf(stdout),
  },
};

/** nginx does not take its configuration as it stands; null: it names no file. */
interface Refused {
  readonly refused: Blame | null;
}

/** What was read of others' configuration; null where nginx is absent or refuses it. */
export function foreignOfView(view: ServerView): Foreign | null {
  const foreign = view.facts["foreign"] as Foreign | Refused | null | undefined;
  return foreign === null || foreign === undefined || "refused" in foreign ? null : foreign;
}

function refusal(refused: Blame | null): Problem {
  if (refused === null || refused.file.startsWith(`${ROOT}/`)) {
    return {
      message: `nginx refuses its present configuration${refused === null ? "" : `: ${refused.message}`}.`,
      mend: "Run `nginx -t` on the server and mend what it names.",
    };
  }
  return {
    code: "HW_HTTP_FOREIGN_CONFIG",
    message: `nginx refuses its present configuration because of ${refused.file}, which is not Hostwright's: ${refused.message}.`,
    mend: `Mend ${refused.file}, then try again.`,
  };
}

const WILDCARD = ["*", "0.0.0.0", "[::]"];

/** What keeps our sites from being served as they should; nothing here is edited by us. */
export function problems(view: ServerView): readonly Problem[] {
  const { httpPort } = view.service.options as NginxOptions;
  if (view.facts["version"] === null || view.facts["version"] === undefined) {
    return [{ message: "nginx is not installed.", mend: "Run `server prepare`, which installs nginx-light." }];
  }
  const foreign = (view.facts["foreign"] ?? { refused: null }) as Foreign | Refused;
  if ("refused" in foreign) return [refusal(foreign.refused)];
  const files = (listeners: Foreign["listeners"]): string => [...new Set(listeners.map(({ file }) => file))].join(", ");
  const here = foreign.listeners.filter(({ port }) => port === httpPort);
  const defaults = here.filter(({ isDefault, address }) => isDefault && WILDCARD.includes(address));
  const narrow = here.filter(({ address }) => !WILDCARD.includes(address));
  return [
    ...(foreign.includesUs
      ? []
      : [
          {
            message: "/etc/nginx/nginx.conf does not include /etc/nginx/conf.d/*.conf: no site would be served.",
            mend: "Put `include /etc/nginx/conf.d/*.conf;` back into its http block.",
          },
        ]),
    ...(defaults.length === 0
      ? []
      : [
          {
            message: `Requests for unknown names on port ${httpPort} are answered by ${files(defaults)}, not by a neutral site.`,
            mend: "Remove that file (Debian's stock site: rm /etc/nginx/sites-enabled/default), then reload nginx.",
            tolerable: true,
          },
        ]),
    ...(narrow.length === 0
      ? []
      : [
          {
            message: `${files(narrow)} listens on ${narrow.map(({ address }) => address).join(", ")} port ${httpPort}: nginx sends no request for that address to our sites.`,
            mend: `Let it listen on the port alone (\`listen ${httpPort};\`).`,
          },
        ]),
  ];
}
