import type { EngineParts } from "../../engine/planning/task-engine.ts";
import { RESTORE, type StateProblem } from "./check.ts";

/** What the store finds in its own files. */
export async function* damagedFiles({ store }: EngineParts): AsyncGenerator<StateProblem> {
  for (const { file, what } of await store.integrity())
    yield { code: "HW_STORE_DAMAGED", where: file, what, mend: RESTORE };
}
