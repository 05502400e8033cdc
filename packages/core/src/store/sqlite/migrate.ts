import { HostwrightError } from "../../errors/hostwright-error.ts";
import type { Transactions } from "./transactions.ts";

interface Migrated extends Pick<Transactions, "get" | "read" | "write"> {
  script(sql: string): void;
}

/**
 * Brings a file to the newest schema; `user_version` counts the migrations that it has. Each is applied once, however
 * many processes open it at the same time. @throws HW_STORE_INCOMPATIBLE when the file is ahead of this code.
 */
export async function migrate(database: Migrated, migrations: readonly string[]): Promise<void> {
  if ((await database.read(() => versionOf(database, migrations))) === migrations.length) return;
  await database.write(() => {
    for (const sql of migrations.slice(versionOf(database, migrations))) database.script(sql);
    database.script(`PRAGMA user_version = ${migrations.length}`);
  });
}

function versionOf(database: Migrated, migrations: readonly string[]): number {
  const version = database.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
  if (version > migrations.length) {
    throw new HostwrightError(
      "HW_STORE_INCOMPATIBLE",
      `The state store has schema ${version}, this Hostwright knows up to ${migrations.length}. It was left as it is.`,
      { data: { found: version, known: migrations.length } },
    );
  }
  return version;
}
