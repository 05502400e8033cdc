import type { StateStore } from "../contracts/store.ts";
import type { HostwrightEvent } from "../engine/events.ts";
import type { Access } from "./access.ts";
import { objectOf } from "./policy-object.ts";

const MOST_REMEMBERED = 1_000;

/** Of a stream, the events that an actor may see. */
export async function* visibleEvents(
  stream: AsyncIterable<HostwrightEvent>,
  { tasks, records }: StateStore,
  access: Access,
): AsyncGenerator<HostwrightEvent> {
  const seen = new Map<string, boolean>();
  for await (const event of stream) {
    const id = event.task ?? "";
    if (seen.size > MOST_REMEMBERED) seen.clear();
    if (!seen.has(id)) {
      const task = await tasks.get(id);
      const request = (task?.request ?? {}) as Record<string, unknown>;
      seen.set(id, await access.seesTask(task?.actor ?? "", async () => objectOf(records, request)));
    }
    if (seen.get(id) === true) yield event;
  }
}
