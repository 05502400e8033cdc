import type { EpochRaised, Lease } from "../../contracts/store.ts";
import { NOBODY } from "../holder.ts";
import { isFreed } from "../lease-rules.ts";
import type { Database } from "./database.ts";
import { nextEnd } from "./tasks.ts";

const UNFINISHED = "state IN ('running', 'cancelling', 'undoing') AND id NOT IN (SELECT task FROM commits)";

/** See `StateStore.raiseEpoch`. */
export async function raiseEpoch(db: Database, at: string, outcome: unknown): Promise<EpochRaised> {
  return db.write(() => {
    db.run("UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE name = 'epoch'");
    // The lost store may have given them to sites since.
    db.run("DELETE FROM returned_numbers");
    const epoch = Number(db.get<{ value: string }>("SELECT value FROM meta WHERE name = 'epoch'")?.value);
    const tasks = db.all<{ id: string }>(`SELECT id FROM tasks WHERE ${UNFINISHED} ORDER BY seq`).map(({ id }) => id);
    for (const task of tasks) {
      const leases = db.all<Pick<Lease, "scope" | "mode" | "task">>(
        "SELECT scope, mode, task FROM leases WHERE task = ?",
        task,
      );
      for (const { scope } of leases.filter(isFreed))
        db.run("DELETE FROM leases WHERE task = ? AND scope = ?", task, scope);
      db.run("UPDATE leases SET holder = ? WHERE task = ?", NOBODY, task);
      db.run(
        "UPDATE tasks SET state = 'needs-attention', outcome = ?, finishedAt = ?, ended = ?, waits = NULL WHERE id = ?",
        JSON.stringify(outcome ?? null),
        at,
        nextEnd(db),
        task,
      );
    }
    return { epoch, tasks };
  });
}
