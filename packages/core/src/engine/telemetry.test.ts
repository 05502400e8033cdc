import { trace, type Context, type Span, type SpanOptions, type TracerProvider } from "@opentelemetry/api";
import { afterEach, expect, test } from "vitest";
import type { EventStore, StoredEvent } from "../contracts/store.ts";
import { Events } from "./events.ts";
import { Telemetry } from "./telemetry.ts";

interface Seen {
  readonly name: string;
  readonly parent: string | null;
  ended: boolean;
  error: string | null;
}

/** The least of a provider that records what is made of it. */
function recorder(seen: Seen[]): TracerProvider {
  const names = new Map<Span, string>();
  const startSpan = (name: string, _options?: SpanOptions, within?: Context): Span => {
    const parent = within === undefined ? undefined : trace.getSpan(within);
    const entry: Seen = { name, parent: (parent && names.get(parent)) ?? null, ended: false, error: null };
    seen.push(entry);
    const span = {
      end: () => {
        entry.ended = true;
      },
      setStatus: ({ message }: { message?: string }) => {
        entry.error = message ?? null;
        return span;
      },
    } as unknown as Span;
    names.set(span, name);
    return span;
  };
  return { getTracer: () => ({ startSpan }) } as unknown as TracerProvider;
}

function memoryStore(): EventStore {
  let seq = 0;
  return {
    append: async (events) => events.map((event): StoredEvent => ({ ...event, seq: ++seq })),
    after: async () => [],
    last: async () => seq,
    remove: async () => 0,
    removedUpTo: async () => 0,
  };
}

afterEach(() => trace.disable());

test("a task is a span with its actions as children; a failure marks both, and all are ended", async () => {
  const seen: Seen[] = [];
  trace.setGlobalTracerProvider(recorder(seen));
  const events = new Events(memoryStore());
  using _telemetry = new Telemetry(events);
  await events.emit("t1", "task:started", { actions: 2 });
  await events.emit("t1", "action:started", { action: 0, of: 2, server: "web1", title: "one" });
  await events.emit("t1", "action:finished", { action: 0, server: "web1", title: "one", ms: 5 });
  await events.emit("t1", "action:started", { action: 1, of: 2, server: "web1", title: "two" });
  await events.emit("t1", "action:failed", {
    action: 1,
    server: "web1",
    title: "two",
    code: "HW_DISK_FULL",
    message: "no",
  });
  await events.emit("t1", "task:finished", { state: "undone", error: null, residue: [] });
  expect(seen).toEqual([
    { name: "hostwright.task", parent: null, ended: true, error: "undone" },
    { name: "hostwright.action", parent: "hostwright.task", ended: true, error: null },
    { name: "hostwright.action", parent: "hostwright.task", ended: true, error: "HW_DISK_FULL" },
  ]);
});

test("without an OpenTelemetry SDK nothing happens", async () => {
  const events = new Events(memoryStore());
  using _telemetry = new Telemetry(events);
  await events.emit("t1", "task:started", { actions: 0 });
  await events.emit("t1", "task:finished", { state: "succeeded", error: null, residue: [] });
});
