import { describe, expect, expectTypeOf, test } from "vitest";
import * as z from "zod";
import type { Plugin } from "../src/contracts/plugin.ts";
import { createHostwright, type Hostwright } from "../src/hostwright.ts";
import { CONTRACT } from "../src/plugin-kit/contract.ts";
import { defineTask } from "../src/plugin-kit/define-task.ts";
import { HostwrightError } from "../src/errors/hostwright-error.ts";
import { runStep } from "./fake-engine.ts";
import { folder, openOwn } from "./own-facade.ts";

/** What `note` did, in the order in which it did it. */
type Notes = string[];

/** A package that brings a kind of task, and the operation that it is made of. */
function noting(notes: Notes, version = 1): { readonly plugin: Plugin; readonly note: typeof task.request } {
  const task = defineTask({
    type: "server:note",
    version,
    input: version === 1 ? z.strictObject({ server: z.string(), text: z.string() }) : noteInput,
    value: z.strictObject({ server: z.string(), length: z.int() }),
    request: (server: string, text: string) => ({ server, text }),
    title: ({ server }) => `note on ${server}`,
    subject: ({ server }) => ({ server }),
    migrate: (input) => ({ ...input, text: `${String(input["text"])}!` }),
    plan: async ({ inventory }, { server: name, text }) => {
      const server = inventory.server(name);
      const steps = [...text].map((letter) => runStep(server.id, "note", { server, input: { letter } }));
      return {
        title: `note on ${server.name}`,
        about: [`server/${server.id}`],
        steps,
        value: { server: server.name, length: text.length },
      };
    },
  });
  const letterOf = (input: unknown): string => (input as { readonly letter: string }).letter;
  const plugin: Plugin = {
    name: "note",
    contract: CONTRACT,
    tasks: [task],
    operations: [
      {
        name: "note",
        version: 1,
        run: async (_context, input) => {
          const letter = letterOf(input);
          if (letter === "?") throw new HostwrightError("HW_COMMAND_FAILED", "not a letter");
          notes.push(`+${letter}`);
          return null;
        },
        probe: async () => "absent",
        undo: async (_context, input) => void notes.push(`-${letterOf(input)}`),
      },
    ],
  };
  return { plugin, note: task.request };
}

const noteInput = z.strictObject({ server: z.string(), text: z.string().endsWith("!") });

async function open(plugins: readonly Plugin[], stateDir = folder()): Promise<Hostwright> {
  return (await openOwn({}, { plugins, stateDir })).hw;
}

describe("a kind of task that a package brings", () => {
  test("is planned, run and listed like core's own, and gives its own value", async () => {
    const notes: Notes = [];
    const { plugin, note } = noting(notes);
    const hw = await open([plugin]);
    const plan = await hw.plan(note("web1", "ab"));
    expect([plan.title, plan.actions.length, plan.value]).toEqual(["note on web1", 2, { server: "web1", length: 2 }]);
    const value = await hw.run(plan);
    expectTypeOf(value).toEqualTypeOf<{ server: string; length: number }>();
    expect(value).toEqual({ server: "web1", length: 2 });
    expect(notes).toEqual(["+a", "+b"]);
    expect((await hw.tasks.list()).tasks).toMatchObject([
      { type: "server:note", subject: { kind: "server", name: "web1" } },
    ]);
  });

  test("is undone by core when it fails", async () => {
    const notes: Notes = [];
    const { plugin, note } = noting(notes);
    const hw = await open([plugin]);
    await expect(hw.run(note("web1", "ab?"))).rejects.toMatchObject({
      code: "HW_COMMAND_FAILED",
      data: { state: "undone", residue: [] },
    });
    // What failed half way is taken back as well.
    expect(notes).toEqual(["+a", "+b", "-?", "-b", "-a"]);
  });

  test("waits for a worker that knows it", async () => {
    const { plugin, note } = noting([]);
    const stateDir = folder();
    const hw = await open([plugin], stateDir);
    const { id } = await hw.submit(note("web1", "a"));
    await using without = await createHostwright({ plugins: [], stateDir });
    await using _idle = without.work();
    await expect.poll(async () => without.stranded()).toMatchObject([{ task: id, missing: ["task type server:note"] }]);
    expect(await without.task(id).state()).toBe("queued");
    await using _working = hw.work();
    expect(await hw.task(id).result()).toEqual({ server: "web1", length: 1 });
  });

  test("takes a request that its older version stored", async () => {
    const notes: Notes = [];
    const [older, newer] = [noting(notes), noting(notes, 2)];
    const stateDir = folder();
    const first = await open([older.plugin], stateDir);
    const { id } = await first.submit(older.note("web1", "a"));
    await first[Symbol.asyncDispose]();
    await using second = await createHostwright({ plugins: [newer.plugin], stateDir });
    await using _working = second.work();
    expect(await second.task(id).result()).toEqual({ server: "web1", length: 2 });
    expect(notes).toEqual(["+a", "+!"]);
    const later = { type: "server:note", version: 3, server: "web1", text: "a!" };
    expect(() => second.request(later)).toThrow(expect.objectContaining({ code: "HW_INPUT_INVALID" }));
  });

  test("is refused when somebody else brings it, or its name is none", async () => {
    const { plugin } = noting([]);
    const twice = { ...plugin, name: "other", operations: [] };
    await expect(open([plugin, twice])).rejects.toMatchObject({ code: "HW_PLUGIN_INVALID" });
    const [task] = plugin.tasks ?? [];
    const verify = { ...plugin, tasks: [{ ...task, type: "alias:verify" }] } as unknown as Plugin;
    await expect(open([verify])).rejects.toThrow(/@hostwright\/core.*alias:verify/);
    const nameless = { ...plugin, tasks: [{ ...task, type: "note" }] } as unknown as Plugin;
    await expect(open([nameless])).rejects.toThrow(/tasks\[0\].*is not noun:verb/);
  });
});
