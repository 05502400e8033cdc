import { sql } from "@hostwright/core/plugin";
import type { AccountState } from "./account-state.ts";
import type { Session } from "./session.ts";

const READ = sql`SELECT rolname AS user, rolpassword AS verifier, rolconnlimit AS connections,
  coalesce(rolvaliduntil::text, 'infinity') AS "validUntil", array_remove(ARRAY[
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
    CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolinherit THEN 'INHERIT' END,
    CASE WHEN rolcanlogin THEN 'LOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' END,
    CASE WHEN rolsuper THEN 'SUPERUSER' END], NULL) AS attributes,
  ARRAY(SELECT pg_get_userbyid(roleid)::text FROM pg_auth_members WHERE member = pg_authid.oid ORDER BY 1) AS "memberOf"
  FROM pg_authid WHERE rolname = ANY ($1)`;

export async function accountStates(
  session: Session,
  keys: readonly string[],
): Promise<ReadonlyMap<string, AccountState>> {
  const rows = (await session.query(READ, [keys])) as unknown as readonly AccountState[];
  return new Map(rows.map((row) => [row.user, { ...row }]));
}
