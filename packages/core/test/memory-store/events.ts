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
    remove: async (which, limit) => {
      const gone =
        "task" in which ? ofTask(tables.events, which.task, limit) : before(tables.events, which.before, limit);
      if ("before" in which) tables.removedEvents = gone.at(-1)?.seq ?? tables.removedEvents;
      tables.events = tables.events.filter((event) => !gone.includes(event));
      return gone.length;
    },
    removedUpTo: async () => tables.removedEvents,
    last: async () => tables.lastEvent,
  };
}

type Stored = Tables["events"];

function ofTask(events: Stored, task: string, limit: number): Stored {
  return events.filter((event) => event.task === task).slice(0, limit);
}

function before(events: Stored, time: string, limit: number): Stored {
  const stays = events.findIndex(({ at }) => at >= time);
  return events.slice(0, stays < 0 ? limit : Math.min(stays, limit));
}
