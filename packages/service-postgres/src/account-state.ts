/** A role as it stands, so that any can be set again. What is kept of its password makes it a secret. */
export interface AccountState {
  readonly user: string;
  /** What PostgreSQL keeps of the password; null: it has none. */
  readonly verifier: string | null;
  /** `LOGIN`, `SUPERUSER` ...: those it has, sorted. */
  readonly attributes: readonly string[];
  /** Roles that it is a member of, sorted. */
  readonly memberOf: readonly string[];
  readonly connections: number;
  readonly validUntil: string;
}

/** Columns of pg_authid and their words in SQL. */
export const ATTRIBUTES: readonly string[] = "BYPASSRLS CREATEDB CREATEROLE INHERIT LOGIN REPLICATION SUPERUSER".split(
  " ",
);
