import type { EngineParts } from "../../engine/planning/task-engine.ts";
import type { StateProblem } from "./check.ts";

const MOST = 1_000;

/** Secrets are of records that there are. */
export async function* straySecrets({ store }: EngineParts): AsyncGenerator<StateProblem> {
  for (const owner of await store.secrets.orphans(MOST)) {
    const remedy = "Run hw.maintain(), which removes them, or a worker, which does so in time.";
    const what = "secrets of it are kept, and it is not there";
    yield { code: "HW_NOT_FOUND", where: owner.replace("/", " "), what, remedy };
  }
}
