import type { FactProbe, Problem, ServerView } from "@hostwright/core";
import { blame, type Blame } from "./blame.ts";
import type { ApacheOptions } from "./options.ts";
import { ROOT } from "./paths.ts";

/** Lists all virtual hosts; nothing when Apache is absent or refuses its configuration: then stderr says why. */
export const dump: readonly string[] = ["apache2ctl", "-t", "-D", "DUMP_VHOSTS"];

/** What Apache loads; where it does not take its configuration as it stands, why (null: it names no file). */
type Loaded = { readonly modules: readonly string[] } | { readonly refused: Blame | null };

export const facts: Readonly<Record<string, FactProbe>> = {
  version: { argv: ["apache2", "-v"], parse: ({ stdout }) => /Apache\/(\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? null },
  loaded: {
    argv: ["apache2ctl", "-M"],
    parse: ({ exitCode, stdout, stderr }): Loaded =>
      exitCode === 0
        ? { modules: [...stdout.matchAll(/^ (\w+)_module/gm)].map(([, name = ""]) => name) }
        : { refused: blame(`${stdout}\n${stderr}`) },
  },
  /** Ports that the distribution's and the administrator's files listen on. */
  listens: {
    argv: ["sh", "-c", "cat /etc/apache2/ports.conf /etc/apache2/sites-enabled/*.conf 2>/dev/null"],
    parse: ({ stdout }) => [...stdout.matchAll(/^\s*Listen\s+(?:\S+:)?(\d+)/gim)].map(([, port]) => Number(port)),
  },
};

function refusal(refused: Blame | null): Problem {
  if (refused === null || refused.file.startsWith(`${ROOT}/`)) {
    return {
      message: `Apache refuses its present configuration${refused === null ? "" : `: ${refused.message}`}.`,
      mend: "Run `apache2ctl -t` on the server and mend what it names.",
    };
  }
  return {
    code: "HW_HTTP_FOREIGN_CONFIG",
    message: `Apache refuses its present configuration because of ${refused.file}, which is not Hostwright's: ${refused.message}.`,
    mend: `Mend ${refused.file}, then try again.`,
  };
}

/** What keeps our sites from being served as they should; nothing here is edited by us. */
export function problems(view: ServerView): readonly Problem[] {
  const { httpPort } = view.service.options as ApacheOptions;
  if (view.facts["version"] === null || view.facts["version"] === undefined) {
    return [{ message: "Apache is not installed.", mend: "Run `server prepare`, which installs apache2." }];
  }
  const loaded = (view.facts["loaded"] ?? { refused: null }) as Loaded;
  if ("refused" in loaded) return [refusal(loaded.refused)];
  const php = loaded.modules.find((name) => /^php\d*$/.test(name));
  return [
    ...(php === undefined
      ? []
      : [
          {
            message: `Apache runs PHP itself (${php}_module), as the user that may read every site's files.`,
            mend: "Switch it off: a2dismod 'php*' && a2dismod mpm_prefork && a2enmod mpm_event && systemctl restart apache2",
          },
        ]),
    ...(loaded.modules.includes("mpm_event")
      ? []
      : [
          {
            message: `Apache does not run its event module: it would hold a process for each of its visitors on port ${httpPort}.`,
            mend: "a2dismod mpm_prefork mpm_worker && a2enmod mpm_event && systemctl restart apache2",
          },
        ]),
  ];
}
