import {
  DatabaseName,
  defineDatabaseResource,
  PasswordReference,
  RANK,
  sql,
  sqlKeyword,
  webHeadAddress,
  type Declared,
  type Reference,
  type ResourceType,
} from "@hostwright/core/plugin";
import * as z from "zod";
import { accountName, accountsQuery, accountStates } from "./account-query.ts";
import { accountStatements } from "./account-statements.ts";
import { accountIdentity, grantText, groupGrants, plainConditions, type AccountState } from "./account-state.ts";
import { FLAVOURS, type Flavour } from "./flavour.ts";
import { authenticationOf } from "./password.ts";
import { grantPattern } from "./quote.ts";
import { driver } from "./session.ts";

/** An account with rights in one database and nowhere else. */
export interface Account {
  readonly user: string;
  /** `localhost` for the unix socket, else a web head's IP address or host name. Never a wildcard. */
  readonly host: string;
  readonly password: Reference;
  readonly flavour: Flavour;
  readonly database: string;
  /** Default: all of SITE_PRIVILEGES. Fewer make a site read-only. */
  readonly privileges: readonly string[];
}

/**
 * What an account may do in its one database: what content management systems need to run, install, upgrade, dump and
 * import themselves. Left out on purpose: EVENT (work that the server does on its own goes on while a site is sealed for a
 * move), GRANT OPTION (an account gives nothing away), and everything global (FILE, PROCESS, SUPER ...).
 */
const SITE_PRIVILEGES: readonly string[] =
  "ALTER,ALTER ROUTINE,CREATE,CREATE ROUTINE,CREATE TEMPORARY TABLES,CREATE VIEW,DELETE,DROP,EXECUTE,INDEX,INSERT,LOCK TABLES,REFERENCES,SELECT,SHOW VIEW,TRIGGER,UPDATE".split(
    ",",
  );

function isAddress(host: string): boolean {
  try {
    return webHeadAddress(host) === host;
  } catch {
    return false;
  }
}

const schema: z.ZodType<Account> = z.strictObject({
  user: DatabaseName,
  host: z.string().refine(isAddress, "localhost, an IP address or a host name in its short form, without wildcards"),
  password: PasswordReference,
  flavour: z.enum(["mariadb", "mysql"]),
  database: DatabaseName,
  privileges: z.array(z.enum(SITE_PRIVILEGES)).min(1).readonly().default(SITE_PRIVILEGES),
});

export const accountType: ResourceType<Account, AccountState> = defineDatabaseResource({
  name: "mysql-account",
  schema,
  rank: RANK.account,
  removal: "clean-up",
  driver,
  what: "account",
  key: ({ user, host }) => `${user}@${host}`,
  desired({ user, host, password, flavour, database, privileges }, resolve) {
    const authentication = authenticationOf(flavour, resolve(password), user, host);
    const on = sql`${grantPattern(database)}.*`;
    const grants = privileges.map((privilege) => ({ privilege: sqlKeyword(privilege), on }));
    const conditions = plainConditions(flavour);
    return { user, host, authentication, second: sql``, conditions, expired: false, grants };
  },
  async states(session, keys) {
    const { flavour } = session.dialect;
    return accountStates(flavour, keys, await session.query(accountsQuery(flavour, keys.map(accountName))));
  },
  identity: accountIdentity,
  statements: (change, { dialect }) => accountStatements(dialect, change),
  showSpec: ({ flavour, password, database, privileges }) =>
    show(
      `${FLAVOURS[flavour].passwords} <${password.label}>`,
      `${privileges.toSorted().join(", ")} ON ${grantPattern(database)}.*`,
    ),
  showState({ authentication, second, conditions, expired, grants }) {
    const how = authentication.replace(/'(?:[^'\\]|\\.)*(?:'|\\?$)/gs, "[hash]").replace(/^(VIA|WITH) /, "");
    const plain = [plainConditions("mariadb"), plainConditions("mysql")].includes(conditions);
    const marks = [...(second === "" ? [] : ["a second password"]), ...(expired ? ["password expired"] : [])];
    const login = [how, ...(plain ? [] : [conditions]), ...marks];
    return show(login.join(", "), ...groupGrants(grants).map(grantText));
  },
});

function show(login: string, ...grants: readonly string[]): string {
  return [`login: ${login}`, ...grants.map((grant) => `grant: ${grant}`)].join("\n");
}

export function mysqlAccount(
  spec: Omit<Account, "privileges"> & { readonly privileges?: readonly string[] },
): Declared {
  return { type: accountType.name, spec: { privileges: SITE_PRIVILEGES, ...spec } };
}
