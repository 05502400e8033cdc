/**
 * What an account may do in its one database: what content management systems need to run, install, upgrade, dump and
 * import themselves. Left out on purpose: EVENT (work that the server does on its own goes on while a site is sealed for a
 * move), GRANT OPTION (an account gives nothing away), and everything global (FILE, PROCESS, SUPER ...).
 */
export const SITE_PRIVILEGES = [
  "ALTER",
  "ALTER ROUTINE",
  "CREATE",
  "CREATE ROUTINE",
  "CREATE TEMPORARY TABLES",
  "CREATE VIEW",
  "DELETE",
  "DROP",
  "EXECUTE",
  "INDEX",
  "INSERT",
  "LOCK TABLES",
  "REFERENCES",
  "SELECT",
  "SHOW VIEW",
  "TRIGGER",
  "UPDATE",
] as const;

export type SitePrivilege = (typeof SITE_PRIVILEGES)[number];
