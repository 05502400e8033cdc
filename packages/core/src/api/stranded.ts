import type { StateStore } from "../contracts/store.ts";
import type { StrandedTask } from "../engine/workers/stranding.ts";
import type { Access } from "./access.ts";
import { objectOf } from "./policy-object.ts";

/** Of these, the tasks that an actor may see. */
export async function visibleStranded(
  stranded: readonly StrandedTask[],
  { tasks, records }: StateStore,
  access: Access,
): Promise<readonly StrandedTask[]> {
  const seen = await Promise.all(
    stranded.map(async ({ task: id }) => {
      const task = await tasks.get(id);
      return access.seesTask(task?.actor ?? "", async () =>
        objectOf(records, (task?.request ?? {}) as Record<string, unknown>),
      );
    }),
  );
  return stranded.filter((_task, index) => seen[index] === true);
}
