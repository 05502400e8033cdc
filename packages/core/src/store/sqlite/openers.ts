import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { isHolderGone, newHolder } from "../holder.ts";
import { requirePrivate } from "../private-files.ts";
import type { Database } from "./database.ts";
import { inspect, type Thoroughness } from "./inspect.ts";
import { isDamage } from "./sqlite-error.ts";

/** What somebody who closes waits for, at most, to say that it closed; else the next one that opens looks at the file. */
const LEAVING_MS = 1_000;

export type Inspect = (path: string, how: Thoroughness) => Promise<readonly string[]>;

/**
 * Who has written to a store and not yet closed it: a row each, in the transaction of its first write, so that opening waits
 * for no lock. A row of somebody who is gone says that it, or its machine, did not end well.
 */
export class Openers {
  readonly #db: Database;
  readonly #gone: readonly string[];
  readonly #own = newHolder();
  #isEntered = false;

  constructor(db: Database, gone: readonly string[]) {
    this.#db = db;
    this.#gone = gone;
    db.withFirstWrite(() => this.#enter());
  }

  async leave(): Promise<void> {
    if (!this.#isEntered) return;
    const sql = "DELETE FROM openers WHERE holder = ?";
    // It is all the same for what was written.
    await this.#db.write(() => this.#db.run(sql, this.#own), LEAVING_MS).catch(() => undefined);
  }

  #enter(): void {
    this.#isEntered = true;
    this.#db.run("DELETE FROM openers WHERE holder IN (SELECT value FROM json_each(?))", JSON.stringify(this.#gone));
    this.#db.run("INSERT INTO openers (holder) VALUES (?) ON CONFLICT DO NOTHING", this.#own);
  }
}

/**
 * Looks at a store before anything is written to it, if the last that wrote to it did not close it: a machine that lost its
 * power may have lost pages too. @returns those that are gone @throws HW_STORE_DAMAGED, HW_STORE_EXPOSED
 */
export async function refuseDamaged(path: string, look: Inspect = inspect): Promise<readonly string[]> {
  const gone = openersGone(path);
  const damaged = typeof gone === "string" ? [gone] : gone.length === 0 ? [] : await look(path, "quick");
  if (damaged.length > 0) throw damage(path, damaged);
  return typeof gone === "string" ? [] : gone;
}

function damage(path: string, damaged: readonly string[]): HostwrightError {
  return new HostwrightError(
    "HW_STORE_DAMAGED",
    `${path} is damaged: ${damaged.slice(0, 3).join("; ")}. Nothing was written.`,
    { data: { file: path, damaged } },
  );
}

/** Damage that shows already here is said in words. */
function openersGone(path: string): readonly string[] | string {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return [];
  requirePrivate(path, "600");
  // Whoever has it open has its log beside it.
  const isOpen = statSync(`${path}-wal`, { throwIfNoEntry: false }) !== undefined;
  let db: DatabaseSync | undefined;
  try {
    const sqlite = process.getBuiltinModule("node:sqlite");
    db = new sqlite.DatabaseSync(path, { readOnly: true });
    const has = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'openers'").get() !== undefined;
    const rows = has ? db.prepare("SELECT holder FROM openers").all() : [];
    return rows.map(({ holder }) => String(holder)).filter((holder) => !isOpen || isHolderGone(holder));
  } catch (error) {
    if (isDamage(error)) return (error as Error).message;
    // Whatever else it is, opening it says.
    return [];
  } finally {
    db?.close();
  }
}
