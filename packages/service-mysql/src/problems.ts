import { notInstalled, problemIf, undeclaredListening, type Problem, type ServerView } from "@hostwright/core/plugin";
import { isIP } from "node:net";
import type { Exposure, Version } from "./facts.ts";
import { FLAVOURS } from "./flavour.ts";
import type { MysqlOptions } from "./options.ts";

/** What the facts tell against putting sites on this database server. */
export function problems(view: ServerView): readonly Problem[] {
  const options = view.service.options as MysqlOptions;
  const version = (view.facts["version"] ?? null) as Version | null;
  const { title, packages, unit } = FLAVOURS[options.flavour];
  if (version === null) return [notInstalled(title, packages)];
  const exposure = (view.facts["exposure"] ?? null) as Exposure | null;
  const stopped: Problem = {
    message: `${title} does not answer root on ${options.socket}`,
    remedy: `Start it: systemctl start ${unit}. If it runs, let root log in by its unix user (MariaDB: unix_socket, MySQL: auth_socket).`,
  };
  return [...wrongVersion(version, options), ...(exposure === null ? [stopped] : exposed(view, options, exposure))];
}

function wrongVersion({ flavour, version }: Version, options: MysqlOptions): readonly Problem[] {
  const { title, oldest } = FLAVOURS[options.flavour];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const old = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
  return flavour === options.flavour
    ? problemIf(
        old,
        `${title} ${version} is older than ${oldest.join(".")}`,
        `Upgrade it to ${title} ${oldest.join(".")} or later.`,
      )
    : problemIf(
        true,
        `${FLAVOURS[flavour].title} is installed, the service is declared as ${title}`,
        `Declare it with mysql.service({ flavour: "${flavour}" }).`,
      );
}

function exposed(view: ServerView, { flavour, listen }: MysqlOptions, exposure: Exposure): readonly Problem[] {
  const { skipNetworking, bindAddress, skipNameResolve, anonymous, openDatabases, noTriggers } = exposure;
  const named = view.peers.filter((peer) => isIP(peer) === 0);
  const binds = skipNetworking ? "" : bindAddress || "every address";
  const everybody = flavour === "mariadb" ? "REVOKE ALL PRIVILEGES, GRANT OPTION FROM PUBLIC; " : "";
  return [
    ...problemIf(
      listen.length > 0 && skipNetworking,
      `skip-networking is on: nothing listens on ${listen.join(", ")}, and web heads on other machines reach no database`,
      "Remove skip-networking from the server's configuration and restart it.",
    ),
    ...undeclaredListening(view, listen, binds, "bind-address = 127.0.0.1"),
    ...problemIf(
      skipNameResolve && named.length > 0,
      `skip-name-resolve is on: web heads known by name cannot log in (${named.join(", ")})`,
      "Give those servers IP addresses in their records, or switch skip-name-resolve off.",
    ),
    ...problemIf(
      noTriggers,
      "the server keeps a binary log and trusts no site with it: sites can make no triggers and functions",
      "Put log_bin_trust_function_creators = ON under [mysqld] and restart it: safe where binlog_format is ROW. Few need it.",
    ).map((problem): Problem => ({ ...problem, tolerable: true })),
    ...anonymous.map((host) => ({
      message: `anybody may log in from "${host}" without a name or password`,
      remedy: `Remove that account: \`DROP USER ''@'${host.replaceAll("'", "''")}';\`.`,
    })),
    ...problemIf(
      openDatabases.length > 0,
      `every account may use the databases ${openDatabases.map((name) => `"${name}"`).join(", ")}`,
      `Close them: \`${everybody}DELETE FROM mysql.db WHERE User = ''; FLUSH PRIVILEGES; DROP DATABASE IF EXISTS test;\`.`,
    ),
  ];
}
