import { undoContext } from "../../engine/actions/journal.ts";
import type { EngineParts } from "../../engine/planning/task-engine.ts";
import { opens } from "../../store/key-check.ts";
import type { StateProblem } from "./check.ts";
import { WITH_KEY } from "./sealed-secrets.ts";

/** The key opens the prior states of tasks that somebody has yet to end, by which they would be undone. */
export async function* sealedStates({ store, box }: EngineParts): AsyncGenerator<StateProblem> {
  if (!box.hasKey) return;
  const open = await store.tasks.list({ states: ["running", "cancelling", "undoing", "needs-attention"] });
  for (const { id } of open) {
    const rows = (await store.journal.read(id)).filter(({ undo }) => undo !== null);
    const closed = rows.filter(({ undo, action }) => !opens(box, undo ?? "", undoContext({ task: id, action })));
    if (closed.length === 0) continue;
    const what = `no key opens ${closed.length} of its prior states`;
    yield { code: "HW_SECRET_UNREADABLE", where: `task ${id}`, what, remedy: WITH_KEY };
  }
}
