import type { StoredEvent } from "../../src/contracts/store.ts";
import type { EventLog, StoreKernel } from "../../src/contracts/store/kernel.ts";
import { MemoryTables } from "./memory-tables.ts";

const EVENTS_AT_ONCE = 500;
const LEAP = 1_000_000;

/** A store without files. */
export class MemoryKernel implements StoreKernel {
  readonly reach = "machine";
  readonly tables: MemoryTables = new MemoryTables();
  readonly events: EventLog = memoryEvents();

  async integrity(): Promise<[]> {
    return [];
  }

  async scrub(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {}
}

function memoryEvents(): EventLog {
  let events: StoredEvent[] = [];
  let [last, removed] = [0, 0];
  return {
    append: async (added) => {
      const stored = added.map((event) => ({ ...event, seq: ++last }));
      events.push(...stored);
      return stored;
    },
    after: async (seq, { task, limit = EVENTS_AT_ONCE } = {}) =>
      events.filter((event) => event.seq > seq && (task ?? event.task) === event.task).slice(0, limit),
    remove: async (which, limit) => {
      const gone =
        "task" in which ? events.filter(({ task }) => task === which.task) : firstBefore(events, which.before);
      const now = gone.slice(0, limit);
      if ("before" in which) removed = now.at(-1)?.seq ?? removed;
      events = events.filter((event) => !now.includes(event));
      return now.length;
    },
    removedUpTo: async () => removed,
    last: async () => last,
    leap: async () => void (last += LEAP),
  };
}

function firstBefore(events: readonly StoredEvent[], time: string): readonly StoredEvent[] {
  const stays = events.findIndex(({ at }) => at >= time);
  return stays < 0 ? events : events.slice(0, stays);
}
