import type { HostwrightEvent } from "../engine/events.ts";
import type { EngineParts } from "../engine/planning/task-engine.ts";
import type { Access } from "./access.ts";
import { objectOf } from "../engine/planning/policy-object.ts";

const MOST_REMEMBERED = 1_000;

/** Of a stream, the events that an actor may see. */
export async function* visibleEvents(
  stream: AsyncIterable<HostwrightEvent>,
  parts: EngineParts,
  access: Access,
): AsyncGenerator<HostwrightEvent> {
  const seen = new Map<string, boolean>();
  for await (const event of stream) {
    const id = event.task ?? "";
    if (seen.size > MOST_REMEMBERED) seen.clear();
    if (!seen.has(id)) {
      const task = await parts.store.tasks.get(id);
      seen.set(id, await access.seesTask(task?.actor ?? "", async () => objectOf(parts, task?.request)));
    }
    if (seen.get(id) === true) yield event;
  }
}
