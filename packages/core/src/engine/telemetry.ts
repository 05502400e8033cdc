import {
  context,
  metrics,
  SpanStatusCode,
  trace,
  type Counter,
  type Histogram,
  type Span,
  type Tracer,
} from "@opentelemetry/api";
import type { Events, HostwrightEvent } from "./events.ts";

/** Open spans: of a task that another process ends this one hears no end. */
const MOST_OPEN = 10_000;

/**
 * Spans and metrics made from the one event stream, for whatever OpenTelemetry SDK the host application has set up; without
 * one nothing happens. A task is a span `hostwright.task`, its actions are child spans `hostwright.action`.
 */
export class Telemetry implements Disposable {
  readonly #tracer: Tracer;
  readonly #tasks: Counter;
  readonly #actions: Histogram;
  readonly #spans = new Map<string, Span>();
  readonly #stop: () => void;

  constructor(events: Events) {
    this.#tracer = trace.getTracer("@hostwright/core");
    const meter = metrics.getMeter("@hostwright/core");
    this.#tasks = meter.createCounter("hostwright.tasks", { description: "Finished tasks by their end state" });
    this.#actions = meter.createHistogram("hostwright.action.duration", {
      description: "Duration of actions",
      unit: "ms",
    });
    this.#stop = events.listen((event) => this.#take(event));
  }

  [Symbol.dispose](): void {
    this.#stop();
    for (const span of this.#spans.values()) span.end();
    this.#spans.clear();
  }

  #take(event: HostwrightEvent): void {
    const task = event.task ?? "";
    switch (event.type) {
      case "task:started":
        this.#begin(task, this.#tracer.startSpan("hostwright.task", { attributes: { "hostwright.task": task } }));
        break;
      case "action:started": {
        const { server, title, action } = event.payload;
        const parent = this.#spans.get(task);
        const within = parent === undefined ? context.active() : trace.setSpan(context.active(), parent);
        const attributes = { "hostwright.server": server, "hostwright.title": title };
        this.#begin(`${task}/${action}`, this.#tracer.startSpan("hostwright.action", { attributes }, within));
        break;
      }
      case "action:finished":
        this.#actions.record(event.payload.ms, { "hostwright.server": event.payload.server });
        this.#end(`${task}/${event.payload.action}`, null);
        break;
      case "action:failed":
        this.#end(`${task}/${event.payload.action}`, event.payload.code);
        break;
      case "task:finished":
        this.#tasks.add(1, { "hostwright.state": event.payload.state });
        this.#end(task, event.payload.state === "succeeded" ? null : event.payload.state);
        break;
      default:
        break;
    }
  }

  #begin(key: string, span: Span): void {
    this.#spans.set(key, span);
    for (const eldest of this.#spans.size > MOST_OPEN ? this.#spans.keys().take(1) : []) this.#end(eldest, null);
  }

  #end(key: string, failure: string | null): void {
    const span = this.#spans.get(key);
    if (failure !== null) span?.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span?.end();
    this.#spans.delete(key);
  }
}
