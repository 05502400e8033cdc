import { basename } from "node:path";
import type { EngineParts } from "../../engine/planning/task-engine.ts";
import { RESTORE, type StateProblem } from "./check.ts";

const DELETE = "Delete events.db, events.db-wal and events.db-shm: nothing needs them, and they are begun anew.";

/** What the store finds in its own files. */
export async function* damagedFiles({ store }: EngineParts): AsyncGenerator<StateProblem> {
  for (const { file, what } of await store.integrity())
    yield { code: "HW_STORE_DAMAGED", where: file, what, remedy: basename(file) === "events.db" ? DELETE : RESTORE };
}
