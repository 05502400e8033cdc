import { RANK, type Declared, type Reference, type ResourceType } from "@hostwright/core";
import * as z from "zod";
import { accountName, accountsQuery, accountStates } from "./account-query.ts";
import { accountStatements } from "./account-statements.ts";
import { accountIdentity, grantText, groupGrants, plainAccount, type AccountState } from "./account-state.ts";
import { Client } from "./client.ts";
import type { Flavour } from "./flavour.ts";
import { Host } from "./host.ts";
import { applyChanges } from "./locked-changes.ts";
import { authenticationOf, type PasswordPlugin } from "./password.ts";
import { SITE_PRIVILEGES, type SitePrivilege } from "./privileges.ts";
import { grantPattern, keyword, sql } from "./quote.ts";
import type { Session } from "./session.ts";

/** An account with rights in one database and nowhere else. */
export interface Account {
  readonly user: string;
  /** `localhost` for the unix socket, else a web head's IP address or host name. Never a wildcard. */
  readonly host: string;
  readonly password: Reference;
  readonly plugin: PasswordPlugin;
  readonly database: string;
  /** Default: all of SITE_PRIVILEGES. Fewer make a site read-only. */
  readonly privileges: readonly SitePrivilege[];
}

const Name = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, "letters, digits and _, at most 32");

const schema: z.ZodType<Account> = z.strictObject({
  user: Name,
  host: Host,
  password: z.strictObject({
    ref: z.literal("secret"),
    id: z.string().min(1),
    label: z.string(),
    quote: z.literal("none").exactOptional(),
  }),
  plugin: z.enum(["mysql_native_password", "caching_sha2_password"]),
  database: Name,
  privileges: z.array(z.enum(SITE_PRIVILEGES)).min(1).readonly().default(SITE_PRIVILEGES),
});

const reading =
  (flavour: Flavour) =>
  async (session: Session, keys: readonly string[]): Promise<Map<string, AccountState>> => {
    if (keys.length === 0) return new Map();
    const rows = await session.query(accountsQuery(flavour, keys.map(accountName)), "reading accounts");
    return accountStates(flavour, keys, rows);
  };

export const accountType: ResourceType<Account, AccountState> = {
  name: "mysql-account",
  schema,
  rank: RANK.account,
  removal: "clean-up",
  key: ({ user, host }) => `${user}@${host}`,
  desired({ user, host, password, plugin, database, privileges }, resolve) {
    const authentication = authenticationOf(plugin, resolve(password), user, host);
    const on = sql`${grantPattern(database)}.*`;
    return plainAccount({
      user,
      host,
      authentication,
      grants: privileges.map((privilege) => ({ privilege: keyword(privilege), on })),
    });
  },
  async read(target, keys) {
    const client = await Client.of(target);
    return reading(client.flavour)(await client.session(), keys);
  },
  identity: accountIdentity,
  async apply(target, changes) {
    const client = await Client.of(target);
    const { flavour } = client;
    await applyChanges(target, client, changes, {
      what: "account",
      read: reading(flavour),
      identity: accountIdentity,
      statements: (change) => accountStatements(client.dialect, change),
    });
  },
  showSpec: ({ plugin, password, database, privileges }) =>
    show(`${plugin} <${password.label}>`, `${privileges.toSorted().join(", ")} ON ${grantPattern(database)}.*`),
  showState(state) {
    const how = state.authentication.replace(/'(?:[^'\\]|\\.)*'/gs, "[hash]").replace(/^(VIA|WITH) /, "");
    const login = [how, ...deviations(state)].join(", ");
    return show(login, ...groupGrants(state.grants).map(grantText));
  },
};

const show = (login: string, ...grants: readonly string[]): string =>
  [`login: ${login}`, ...grants.map((grant) => `grant: ${grant}`)].join("\n");

function deviations({ require, expiry, limits, locked, expired }: AccountState): readonly string[] {
  return [
    ...(require === "NONE" ? [] : ["requires TLS"]),
    ...(expiry === "NEVER" ? [] : [`password expires: ${expiry}`]),
    ...Object.entries(limits).map(([name, value]) => `${name} ${value}`),
    ...(locked ? ["locked"] : []),
    ...(expired ? ["password expired"] : []),
  ];
}

export function mysqlAccount(
  spec: Omit<Account, "privileges"> & { readonly privileges?: readonly SitePrivilege[] },
): Declared {
  return { type: accountType.name, spec: { privileges: SITE_PRIVILEGES, ...spec } };
}
