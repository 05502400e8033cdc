import type { EngineParts } from "../engine/planning/task-engine.ts";
import type { StrandedTask } from "../engine/workers/stranding.ts";
import type { Access } from "./access.ts";
import { objectOf } from "../engine/planning/policy-object.ts";

/** Of these, the tasks that an actor may see. */
export async function visibleStranded(
  stranded: readonly StrandedTask[],
  parts: EngineParts,
  access: Access,
): Promise<readonly StrandedTask[]> {
  const seen = await Promise.all(
    stranded.map(async ({ task: id }) => {
      const task = await parts.store.tasks.get(id);
      return access.seesTask(task?.actor ?? "", async () => objectOf(parts, task?.request));
    }),
  );
  return stranded.filter((_task, index) => seen[index] === true);
}
