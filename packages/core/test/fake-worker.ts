import { Access } from "../src/api/access.ts";
import * as z from "zod";
import { Task } from "../src/api/task.ts";
import type { StateStore, TaskSubmission, Wants } from "../src/contracts/store.ts";
import type { AnyTaskType, TaskDraft, TaskRequest } from "../src/contracts/task.ts";
import { defineTask } from "../src/plugin-kit/define-task.ts";
import type { Step } from "../src/contracts/steps.ts";
import type { EngineParts } from "../src/engine/planning/task-engine.ts";
import { TaskEnds } from "../src/engine/task-ends.ts";
import { resolveTask } from "../src/engine/workers/resolve.ts";
import { Upkeep } from "../src/engine/workers/upkeep.ts";
import { Worker } from "../src/engine/workers/worker.ts";
import { EmbeddedQueue } from "../src/queue/embedded-queue.ts";
import { HostwrightError } from "../src/errors/hostwright-error.ts";
import type { Server } from "../src/model/server.ts";
import { newId } from "../src/model/ids.ts";
import { FakeEngine, ensureStep, serverRecord } from "./fake-engine.ts";
import { FakeWorld } from "./fake-world.ts";

export const NEVER: AbortSignal = new AbortController().signal;

/** A step that wants one file on web1, for the site s1. */
export function file(key: string, value = "x"): Step {
  return ensureStep("web1", [{ type: "file", spec: { key, value }, owner: "site/s1" }]);
}

export function request(name: string): TaskRequest {
  return { type: "test:work", name } as unknown as TaskRequest;
}

/** A queue and the upkeep at work, as `Hostwright.work` begins them. */
export function working(worker: Worker, concurrency: number): AsyncDisposable {
  const work = [new EmbeddedQueue().work(worker, concurrency), new Upkeep(worker).work()];
  return {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(work.map(async (one) => one[Symbol.asyncDispose]()));
    },
  };
}

/** A worker with a task type whose plans the test gives by name; without a draft a task makes the file of its name. */
export class FakeWorker implements AsyncDisposable {
  readonly world: FakeWorld;
  readonly drafts = new Map<string, Partial<TaskDraft>>();
  /** What a task is in line for before it is planned, by name; default: nothing. */
  readonly wants = new Map<string, Wants>();
  readonly engine: FakeEngine;
  readonly parts: EngineParts;
  readonly worker: Worker;
  readonly #ends: TaskEnds;

  private constructor(world: FakeWorld, engine: FakeEngine) {
    this.world = world;
    this.engine = engine;
    this.parts = engine.parts([this.#type()]);
    this.worker = this.another();
    this.#ends = new TaskEnds(engine.store.tasks, engine.events);
    const failure = new HostwrightError("HW_PROBE_FAILED", "no answer", { server: "web1" });
    engine.operation("fail", { run: async () => Promise.reject(failure) });
  }

  /** Default: a SQLite store of its own. */
  static async open(store?: StateStore, opened?: (name: string) => Server): Promise<FakeWorker> {
    const world = new FakeWorld();
    const engine = await FakeEngine.open(world, [world.type("file")], {
      ...(store === undefined ? {} : { store }),
      ...(opened === undefined ? {} : { server: opened }),
    });
    const server = { kind: "server", id: "web1", name: "web1", value: serverRecord("web1") } as const;
    if ((await engine.store.records.get("server", "web1")) === null)
      await engine.store.records.put(server, { expect: 0, claims: [] });
    return new FakeWorker(world, engine);
  }

  another(): Worker {
    return new Worker(this.parts, this.engine.events);
  }

  task(id: string): Task {
    return new Task(id, {
      store: this.engine.store,
      clock: this.parts.clock,
      tasks: this.parts.tasks,
      vault: this.parts.vault,
      events: this.engine.events,
      ends: this.#ends,
      closing: NEVER,
      access: new Access(),
      resolve: async (taskId, how) => resolveTask(this.worker, this.engine.store, taskId, how),
    });
  }

  async submit(name: string, change: Partial<TaskSubmission> = {}): Promise<Task> {
    const common = {
      type: "test:work",
      plan: null,
      actor: "system",
      key: null,
      timeoutMs: null,
      createdAt: new Date().toISOString(),
    };
    const task = { id: newId("t", 16), ...common, request: request(name), ...change };
    const wants = this.wants.get(name);
    return this.task((await this.engine.store.tasks.submit(task, wants)).id);
  }

  /** An operation that tells when it is reached, and goes on when told. */
  gate(name: string): { readonly reached: Promise<void>; open(): void } {
    const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const run = async (): Promise<void> => {
      reached.resolve();
      await opened.promise;
    };
    this.engine.operation(name, { run });
    return { reached: reached.promise, open: () => opened.resolve() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
  }

  #type(): AnyTaskType {
    return defineTask({
      type: "test:work",
      version: 1,
      input: z.strictObject({ name: z.string() }),
      value: z.record(z.string(), z.unknown()),
      request: (name: string) => ({ name }),
      title: ({ name }) => `work ${name}`,
      subject: () => ({}),
      plan: async ({ inventory }, { name }) => {
        // As every task looks at the record of the site whose things it changes.
        await inventory.findSite("s1");
        return {
          title: `work ${name}`,
          about: ["site/s1"],
          steps: [file(`/${name}`)],
          value: {},
          ...this.drafts.get(name),
        };
      },
    });
  }
}
