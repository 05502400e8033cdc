import { join, sql, type Sql } from "./quote.ts";

/** One right: `SELECT` on `` `s1`.* ``. A role is a privilege on nothing. */
export interface Grant {
  readonly privilege: Sql;
  readonly on: Sql;
}

/** An account as it stands, in the words of SQL, so that any state can be set again. Its hash makes it a secret. */
export interface AccountState {
  readonly user: string;
  readonly host: string;
  /** What stands after IDENTIFIED. */
  readonly authentication: Sql;
  /** What stands after REQUIRE. */
  readonly require: Sql;
  /** What stands after PASSWORD EXPIRE. */
  readonly expiry: Sql;
  /** Limits by name; those of 0, which is none, are left out. */
  readonly limits: Readonly<Record<string, number>>;
  readonly locked: boolean;
  /** The password must be changed at the next login. */
  readonly expired: boolean;
  readonly grants: readonly Grant[];
}

/** An account that is as Hostwright makes them: open, without limits, its password never expiring. */
export function plainAccount(account: Pick<AccountState, "user" | "host" | "authentication" | "grants">): AccountState {
  return { ...account, require: sql`NONE`, expiry: sql`NEVER`, limits: {}, locked: false, expired: false };
}

/** `SELECT, INSERT ON ...`: grants side by side by what they are on, sorted. */
export function groupGrants(grants: readonly Grant[]): readonly Grant[] {
  const byTarget = Map.groupBy(grants, (grant) => grant.on);
  return [...byTarget]
    .map(([on, list]): Grant => ({
      on,
      privilege: join([...new Set(list.map((grant) => grant.privilege))].toSorted()),
    }))
    .toSorted((a, b) => (a.on < b.on ? -1 : 1));
}

export function grantText({ privilege, on }: Grant): Sql {
  return on === "" ? privilege : sql`${privilege} ON ${on}`;
}

/** The same for equal accounts, whatever the order of their grants. */
export function accountIdentity(state: AccountState): unknown {
  return { ...state, grants: groupGrants(state.grants).map(grantText) };
}
