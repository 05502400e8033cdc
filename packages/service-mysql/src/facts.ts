import { tabbedValues, type FactProbe } from "@hostwright/core/plugin";
import { FLAVOURS, type Flavour } from "./flavour.ts";
import type { MysqlOptions } from "./options.ts";

export interface Version {
  readonly flavour: Flavour;
  /** `11.8.6` */
  readonly version: string;
}

/** What a running server says of itself that decides whether sites are safe on it. */
export interface Exposure {
  readonly skipNetworking: boolean;
  /** What it binds, as its setting says: `127.0.0.1`, `*`, `10.0.0.5,fd00::5`. */
  readonly bindAddress: string;
  /** Web heads known by name can log in only where the server looks names up. */
  readonly skipNameResolve: boolean;
  /** Hosts from which anybody may log in without a name. */
  readonly anonymous: readonly string[];
  /** Databases, as patterns, that every account may use; `*` is all of them. */
  readonly openDatabases: readonly string[];
  /** A binary log is kept, and whoever is not trusted with it makes no triggers or functions: no site does. */
  readonly noTriggers: boolean;
}

// One query, a tab-separated line each; the client escapes tabs and line breaks within values.
const QUERY = [
  "SELECT 'skip_networking', @@skip_networking",
  "SELECT 'bind_address', IFNULL(@@bind_address, '*')",
  "SELECT 'skip_name_resolve', @@skip_name_resolve",
  "SELECT 'no_triggers', @@log_bin AND NOT @@log_bin_trust_function_creators",
  "SELECT 'anonymous', Host FROM mysql.user WHERE User = ''",
  "SELECT 'open', Db FROM mysql.db WHERE User IN ('', 'PUBLIC')",
  "SELECT 'open', '*' FROM mysql.user WHERE User = 'PUBLIC' AND 'Y' IN (Select_priv, Insert_priv, Update_priv, Delete_priv, Create_priv, Drop_priv, Alter_priv, File_priv, Process_priv, Super_priv)",
].join(" UNION ALL ");

const CLIENT = "--no-defaults --user=root --protocol=socket --connect-timeout=10 --batch --skip-column-names".split(
  " ",
);

/** Asks as root; each row is a line, with tabs between its values. */
export function asking({ flavour, socket }: MysqlOptions, query: string): readonly string[] {
  return [FLAVOURS[flavour].client, ...CLIENT, `--socket=${socket}`, `--execute=${query}`];
}

export function facts(options: MysqlOptions): Readonly<Record<string, FactProbe>> {
  return {
    /** Flavour and version, null where it is not installed. */
    version: {
      argv: [FLAVOURS[options.flavour].daemon, "--version"],
      parse: ({ exitCode, stdout }) => (exitCode === 0 ? parseVersion(stdout) : null),
    },
    /** Null where the server does not answer. */
    exposure: {
      argv: asking(options, QUERY),
      parse: ({ exitCode, stdout }) => (exitCode === 0 ? parseExposure(stdout) : null),
    },
  };
}

export function parseVersion(output: string): Version | null {
  const found = /\bVer (\d+\.\d+\.\d+)(\S*)/.exec(output);
  if (found === null) return null;
  const [, version = "", suffix = ""] = found;
  return { flavour: /mariadb/i.test(suffix) ? "mariadb" : "mysql", version };
}

export function parseExposure(output: string): Exposure {
  const values = tabbedValues(output);
  return {
    skipNetworking: values("skip_networking").includes("1"),
    bindAddress: values("bind_address")[0] ?? "",
    skipNameResolve: values("skip_name_resolve").includes("1"),
    noTriggers: values("no_triggers").includes("1"),
    anonymous: values("anonymous"),
    // The client doubles backslashes; the name is only shown.
    openDatabases: values("open").map((name) => name.replaceAll("\\\\", "\\")),
  };
}
