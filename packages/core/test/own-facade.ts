import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import * as z from "zod";
import type { Operation } from "../src/contracts/operation.ts";
import type { Plugin } from "../src/contracts/plugin.ts";
import { provide } from "../src/di/provider.ts";
import type { EngineParts } from "../src/engine/planning/task-engine.ts";
import type { TaskDraft, TaskRequest, TaskValue } from "../src/contracts/task.ts";
import { CONTRACT } from "../src/plugin-kit/contract.ts";
import { defineTask } from "../src/plugin-kit/define-task.ts";
import { Telemetry } from "../src/engine/telemetry.ts";
import { createHostwright, type Hostwright } from "../src/hostwright.ts";
import type { ServerRecord } from "../src/model/records.ts";
import type { HostwrightOptions } from "../src/options.ts";
import { PART } from "../src/parts.ts";
import { FakeServer } from "./fake-world.ts";

export interface OwnFacade {
  readonly hw: Hostwright;
  readonly engine: EngineParts;
  readonly server: ServerRecord;
  readonly stateDir: string;
}

/** Asks for a task of a facade's own type; its plan is what the test drafts for that name. */
export function own(name: string): TaskRequest<TaskValue> & { readonly name: string } {
  return { type: "test:own", name } as unknown as TaskRequest<TaskValue> & { readonly name: string };
}

/** A facade as it is wired by default, with one task type more, operations of the test's and a server in memory. */
export async function openOwn(
  operations: Readonly<Record<string, Partial<Operation>>> = {},
  options: Partial<HostwrightOptions> & { readonly draft?: (server: ServerRecord) => Partial<TaskDraft> } = {},
): Promise<OwnFacade> {
  const { draft, stateDir = folder(), ...rest } = options;
  const known: { engine?: EngineParts; server?: ServerRecord } = {};
  const task = defineTask({
    type: "test:own",
    version: 1,
    input: z.strictObject({ name: z.string() }),
    value: z.record(z.string(), z.unknown()),
    request: (name: string) => ({ name }),
    title: ({ name }) => `own ${name}`,
    subject: () => ({}),
    plan: async (_context, { name }) => ({
      title: name,
      about: [`site/${name}`],
      steps: [],
      value: {},
      ...(known.server === undefined ? {} : draft?.(known.server)),
    }),
  });
  const nothing = { run: async () => null, probe: async () => "absent" as const, undo: async () => undefined };
  const own: Plugin = {
    name: "test-own",
    contract: CONTRACT,
    tasks: [task],
    operations: Object.entries(operations).map(([name, one]) => ({ name, version: 1, ...nothing, ...one })),
  };
  const telemetry = provide(PART.telemetry, (parts) => {
    known.engine = parts.get(PART.engine);
    return new Telemetry(parts.get(PART.events));
  });
  const server = provide(
    PART.openServer,
    () =>
      async ({ name }: ServerRecord) =>
        new FakeServer(name),
  );
  const given = rest.provide ?? [];
  const defaults = [telemetry, server].filter(({ token }) => given.every((one) => one.token.name !== token.name));
  const hw = await createHostwright({
    ...rest,
    plugins: [own, ...(rest.plugins ?? [])],
    stateDir,
    provide: [...defaults, ...given],
  });
  onTestFinished(async () => hw[Symbol.asyncDispose]());
  known.server = await hw.servers.put({ name: "web1", connect: { type: "local" } });
  const { engine } = known;
  if (engine === undefined) throw new Error("the telemetry was not made");
  return { hw, engine, server: known.server, stateDir };
}

export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "hostwright-own-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** An operation that tells when it is reached, and goes on when told or when its task is stopped. */
export function gate(): {
  readonly reached: Promise<void>;
  readonly open: () => void;
  readonly operation: Partial<Operation>;
} {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const run: Operation["run"] = async ({ target }) => {
    reached.resolve();
    const stopped = Promise.withResolvers<void>();
    target.signal.addEventListener("abort", () => stopped.resolve());
    if (!target.signal.aborted) await Promise.race([opened.promise, stopped.promise]);
    target.signal.throwIfAborted();
    return null;
  };
  return { reached: reached.promise, open: () => opened.resolve(), operation: { run } };
}
