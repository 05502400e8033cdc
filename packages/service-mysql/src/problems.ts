import type { Problem, ServerView } from "@hostwright/core";
import { isIP } from "node:net";
import type { Exposure, Version } from "./facts.ts";
import { FLAVOURS } from "./flavour.ts";
import type { MysqlOptions } from "./options.ts";

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost"]);

/** What the facts tell against putting sites on this database server. */
export function problems(view: ServerView): readonly Problem[] {
  const options = view.service.options as MysqlOptions;
  const version = (view.facts["version"] ?? null) as Version | null;
  const { title, packages, unit } = FLAVOURS[options.flavour];
  if (version === null) {
    return [
      {
        message: `${title} is not installed`,
        mend: `Run \`server prepare\`, or: apt-get install ${packages.join(" ")}`,
      },
    ];
  }
  const exposure = (view.facts["exposure"] ?? null) as Exposure | null;
  const stopped: Problem = {
    message: `${title} does not answer root on ${options.socket}`,
    mend: `Start it: systemctl start ${unit}. If it runs: root has to log in by its unix user (MariaDB: unix_socket, MySQL: auth_socket).`,
  };
  return [...wrongVersion(version, options), ...(exposure === null ? [stopped] : exposed(view, options, exposure))];
}

function wrongVersion({ flavour, version }: Version, options: MysqlOptions): readonly Problem[] {
  const { title, oldest } = FLAVOURS[options.flavour];
  if (flavour !== options.flavour) {
    return [
      {
        message: `${FLAVOURS[flavour].title} is installed, the service is declared as ${title}`,
        mend: `Declare it with mysql.service({ flavour: "${flavour}" }).`,
      },
    ];
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldMajor, oldMinor] = oldest;
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return [];
  return [
    {
      message: `${title} ${version} is older than ${oldest.join(".")}`,
      mend: `Upgrade it to ${title} ${oldest.join(".")} or later.`,
    },
  ];
}

function exposed(view: ServerView, { flavour, listen }: MysqlOptions, exposure: Exposure): readonly Problem[] {
  const found: Problem[] = [];
  if (listen.length > 0 && exposure.skipNetworking) {
    found.push({
      message: `skip-networking is on: nothing listens on ${listen.join(", ")}, and web heads on other machines reach no database`,
      mend: "Remove skip-networking from the server's configuration and restart it.",
    });
  }
  if (
    listen.length === 0 &&
    !exposure.skipNetworking &&
    !exposure.bindAddress.split(",").every((address) => LOOPBACK.has(address.trim()))
  ) {
    found.push({
      message: `it listens on ${exposure.bindAddress || "every address"}, though no address is declared for it`,
      mend: `If web heads need it: mysql.service({ listen: [...] }). Otherwise set bind-address = 127.0.0.1 and restart ${FLAVOURS[flavour].unit}.`,
    });
  }
  const named = view.peers.filter((peer) => isIP(peer) === 0);
  if (exposure.skipNameResolve && named.length > 0) {
    found.push({
      message: `skip-name-resolve is on: web heads known by name cannot log in (${named.join(", ")})`,
      mend: "Give those servers IP addresses in their records, or switch skip-name-resolve off.",
    });
  }
  for (const host of exposure.anonymous) {
    found.push({
      message: `anybody may log in from "${host}" without a name or password`,
      mend: `DROP USER ''@'${host.replaceAll("'", "''")}';`,
    });
  }
  if (exposure.openDatabases.length > 0) {
    found.push({
      message: `every account may use the databases ${exposure.openDatabases.map((name) => `"${name}"`).join(", ")}`,
      mend:
        flavour === "mariadb"
          ? "REVOKE ALL PRIVILEGES, GRANT OPTION FROM PUBLIC; DELETE FROM mysql.db WHERE User = ''; FLUSH PRIVILEGES; DROP DATABASE IF EXISTS test;"
          : "DELETE FROM mysql.db WHERE User = ''; FLUSH PRIVILEGES; DROP DATABASE IF EXISTS test;",
    });
  }
  return found;
}
