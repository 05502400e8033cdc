import type { EventStore } from "../../src/contracts/store.ts";
import type { Tables } from "./tables.ts";

const EVENTS_AT_ONCE = 500;

export function memoryEvents(tables: Tables): EventStore {
  return {
    append: async (added) => {
      const stored = added.map((event) => ({ ...event, seq: ++tables.lastEvent }));
      tables.events.push(...stored);
      return stored;
    },
    after: async (seq, { task, limit = EVENTS_AT_ONCE } = {}) =>
      tables.events.filter((event) => event.seq > seq && (task ?? event.task) === event.task).slice(0, limit),
    last: async () => tables.lastEvent,
  };
}
