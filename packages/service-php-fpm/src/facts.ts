import type { FactProbe, Problem, ServerView } from "@hostwright/core/plugin";
import type { PhpFpmOptions } from "./options.ts";

/** A pool of the distribution's own php-fpm, and whom it runs as. */
export interface ForeignPool {
  readonly file: string;
  readonly user: string;
}

// Debian's web servers all run as this user.
const WEB_USER = "www-data";

export function facts(options: PhpFpmOptions): Readonly<Record<string, FactProbe>> {
  return {
    /** Full version of PHP, null where it is not installed. Asking php-fpm itself takes ten times as long. */
    version: {
      argv: ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", `php${options.version}-fpm`],
      parse: ({ stdout }) => /^installed (?:\d+:)?(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null,
    },
    /** Units of the distribution's php-fpm that run now. */
    foreignUnits: {
      argv: [
        "systemctl",
        "list-units",
        "--state=active,activating,reloading",
        "--plain",
        "--no-legend",
        "php[0-9]*-fpm.service",
      ],
      parse: ({ stdout }) => [...stdout.matchAll(/^(php[0-9.]+-fpm\.service)\s/gm)].map(([, unit]) => unit),
    },
    foreignPools: {
      argv: ["grep", "-rsE", "--include=*.conf", "^[[:space:]]*user[[:space:]]*=", "/etc/php"],
      parse: ({ stdout }) =>
        stdout.split("\n").flatMap((line): ForeignPool[] => {
          const [, file = "", user] = /^([^:]+):[ \t]*user[ \t]*=[ \t]*"?([^"\s;]+)/.exec(line) ?? [];
          return user === undefined ? [] : [{ file, user }];
        }),
    },
  };
}

export function problems({ service, facts }: ServerView): readonly Problem[] {
  const { version } = service.options as PhpFpmOptions;
  const found: Problem[] = [];
  if ((facts["version"] ?? null) === null) {
    found.push({
      message: `PHP ${version} with php-fpm is not installed`,
      remedy: `Run the task \`prepare\`, or \`apt-get install php${version}-fpm\`.`,
    });
  }
  const pools = (facts["foreignPools"] ?? []) as readonly ForeignPool[];
  for (const unit of (facts["foreignUnits"] ?? []) as readonly string[]) {
    const release = /^php([0-9.]+)-fpm/.exec(unit)?.[1] ?? "";
    for (const { file } of pools.filter(
      (pool) => pool.user === WEB_USER && pool.file.startsWith(`/etc/php/${release}/fpm/`),
    )) {
      found.push({
        message: `${unit} runs PHP as ${WEB_USER}, the web server's user: whoever controls that code reads every site's public files and reaches every site's PHP socket (${file})`,
        remedy: `If nothing needs it, run \`systemctl disable --now ${unit}\`. Otherwise give that pool a user of its own in ${file}.`,
      });
    }
  }
  return found;
}
