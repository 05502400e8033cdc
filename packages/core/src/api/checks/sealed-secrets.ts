import { setImmediate as nextTurn } from "node:timers/promises";
import type { EngineParts } from "../../engine/planning/task-engine.ts";
import { opens } from "../../store/key-check.ts";
import type { StateProblem } from "./check.ts";

const AT_ONCE = 200;

export const WITH_KEY = "Give all keys that the state was used with; what none of them opens, put back from a backup.";

/** The key opens each secret. */
export async function* sealedSecrets({ store, box }: EngineParts): AsyncGenerator<StateProblem> {
  if (!box.hasKey) return;
  let after: string | undefined;
  do {
    const page = await store.secrets.list("", { limit: AT_ONCE, ...(after === undefined ? {} : { after }) });
    for (const { id, sealed } of page) {
      if (opens(box, sealed, id)) continue;
      yield { code: "HW_SECRET_UNREADABLE", where: `secret ${id}`, what: "no key opens it", remedy: WITH_KEY };
    }
    after = page.length < AT_ONCE ? undefined : page.at(-1)?.id;
    await nextTurn();
  } while (after !== undefined);
}
