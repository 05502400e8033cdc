import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostwright, EmbeddedQueue, local, PART, provide, verify, type Plugin } from "@hostwright/core";
import type { TaskQueue } from "@hostwright/core/plugin";
import { nginx } from "@hostwright/service-nginx";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { openWithOwnParts, withPackages } from "../../examples/own-parts.ts";
import type { Registry } from "../../packages/core/src/engine/plugins/registry.ts";
import { MemoryKernel } from "../../packages/core/test/memory-store/memory-kernel.ts";
import { ReadOnlyServer } from "../../packages/core/test/read-only-server.ts";

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "hostwright-parts-"));
  onTestFinished(() => rmSync(stateDir, { recursive: true }));
});

const invalid = (message: string): unknown =>
  expect.objectContaining({ code: "HW_PLUGIN_INVALID", message: expect.stringContaining(message) });
const plugin = (name: string, parts: Plugin["parts"] = []): Plugin => ({ name, contract: 1, parts });
const here = provide(
  PART.openServer,
  () =>
    async ({ name }) =>
      new ReadOnlyServer(name),
);

test("an application's own queue, clock and service are at work in place of core's", async () => {
  const clock = { now: () => Date.parse("2030-01-01T12:00:00Z") };
  const queue = new EmbeddedQueue();
  const announced = vi.spyOn(queue, "announce");
  await using hw = await openWithOwnParts(stateDir, nginx, clock, queue);
  await using _working = hw.work();
  const task = await hw.submit(verify("@nowhere"));
  expect(announced).toHaveBeenCalledWith(task.id);
  expect(await hw.tasks.get(task.id)).toMatchObject({ createdAt: "2030-01-01T12:00:00.000Z" });
  // By day nobody takes it, however often they look.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await task.state()).toBe("queued");
  clock.now = () => Date.parse("2030-01-01T23:00:00Z");
  expect(await task.outcome()).toMatchObject({ state: "undone", error: { code: "HW_NOT_FOUND" } });
  expect(await hw.tasks.get(task.id)).toMatchObject({ finishedAt: "2030-01-01T23:00:00.000Z" });
});

test("a plan is good by the clock of the instance", async () => {
  const clock = { now: () => Date.now() };
  await using hw = await createHostwright({ stateDir, plugins: [], provide: [provide(PART.clock, () => clock), here] });
  await hw.servers.put({ name: "here", connect: local() });
  const plan = await hw.plan(verify("@here"));
  clock.now = () => Date.now() + 25 * 3_600_000;
  await expect(hw.submit(plan)).rejects.toMatchObject({ code: "HW_PLAN_EXPIRED" });
});

test("an application's own store holds what its instances know", async () => {
  const kernel = new MemoryKernel();
  const own = provide(PART.openKernel, () => async () => kernel);
  const open = async (): ReturnType<typeof createHostwright> =>
    createHostwright({ stateDir, plugins: [], provide: [own] });
  await using hw = await open();
  await hw.servers.put({ name: "here", connect: local() });
  await using other = await open();
  expect((await other.servers.list()).map(({ name }) => name)).toEqual(["here"]);
});

test("where several machines share a store, none of them is a server called this machine", async () => {
  const kernel = Object.assign(new MemoryKernel(), { reach: "network" as const });
  const own = provide(PART.openKernel, () => async () => kernel);
  await using hw = await createHostwright({ stateDir, plugins: [], provide: [own] });
  await hw.servers.put({ name: "here", connect: local() });
  await expect(hw.plan(verify("@here"))).rejects.toMatchObject({
    code: "HW_INPUT_INVALID",
    server: "here",
    remedy: expect.stringContaining("ssh("),
  });
});

describe("a queue", () => {
  const open = async (queue: TaskQueue): ReturnType<typeof createHostwright> =>
    createHostwright({ stateDir, plugins: [], provide: [provide(PART.queue, () => queue)] });
  const working = { [Symbol.asyncDispose]: async () => undefined };

  test("that never answers, or fails, holds up no submit and no close, and ends with its instance", async () => {
    const ended = vi.fn(async () => undefined);
    const never = new Promise<void>(() => undefined);
    for (const announce of [async () => never, async () => Promise.reject(new Error("no broker"))]) {
      const warned = vi.spyOn(process, "emitWarning").mockReturnValue();
      await using hw = await open({ announce, work: () => working, [Symbol.asyncDispose]: ended });
      expect(await (await hw.submit(verify("@nowhere"))).state()).toBe("queued");
      warned.mockRestore();
    }
    expect(ended).toHaveBeenCalledTimes(2);
  });

  test("ends when the store cannot be opened", async () => {
    const ended = vi.fn(async () => undefined);
    const queue: TaskQueue = { announce: async () => undefined, work: () => working, [Symbol.asyncDispose]: ended };
    const parts = [
      provide(PART.queue, () => queue),
      provide(PART.openKernel, () => async () => Promise.reject(new Error("no database"))),
    ];
    await expect(createHostwright({ stateDir, plugins: [], provide: parts })).rejects.toThrow("no database");
    expect(ended).toHaveBeenCalledOnce();
  });

  test("that cannot be made, or is made of itself, is found before anything is opened", async () => {
    const made = provide(PART.queue, (parts) => parts.get(PART.queue));
    await expect(createHostwright({ stateDir: join(stateDir, "new"), plugins: [], provide: [made] })).rejects.toThrow(
      invalid('"queue" is made of itself'),
    );
    expect(readdirSync(stateDir)).toEqual([]);
  });
});

describe("parts of plugins", () => {
  const queue = (): TaskQueue => new EmbeddedQueue();
  const mine = provide(PART.queue, queue);

  test("stand in the place of core's, and those of the application in the place of theirs", async () => {
    const [theirs, own] = [queue(), queue()];
    const used = [vi.spyOn(theirs, "announce"), vi.spyOn(own, "announce")];
    for (const parts of [[], [provide(PART.queue, () => own)]]) {
      const plugins = [plugin("queues", [provide(PART.queue, () => theirs)])];
      await using hw = await createHostwright({ stateDir, plugins, provide: parts });
      await hw.submit(verify("@nowhere"));
    }
    expect(used.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  });

  test("of which two bring the same are refused, unless the application chooses", async () => {
    const plugins = [plugin("one", [mine]), plugin("two", [mine])];
    await expect(createHostwright({ stateDir, plugins })).rejects.toThrow(
      invalid('"queue" is provided by one and by two'),
    );
    await using _hw = await createHostwright({ stateDir, plugins, provide: [mine] });
  });
});

describe("a service in another's place", () => {
  const open = async (service: unknown): Promise<unknown> =>
    createHostwright({
      stateDir,
      plugins: [nginx],
      provide: [provide(PART.service("http", "nginx"), () => service as never)],
    });

  test("is what the instance has", async () => {
    let registry: Registry | undefined;
    const own = withPackages(nginx, ["nginx-full"]);
    await using _hw = await createHostwright({
      stateDir,
      plugins: [nginx],
      provide: [
        provide(PART.service("http", "nginx"), () => own),
        provide(PART.vault, (parts) => {
          registry = parts.get(PART.registry);
          throw new Error("seen");
        }),
      ],
    }).catch(() => ({ [Symbol.asyncDispose]: async () => undefined }));
    expect(registry?.service("http", "nginx")).toBe(own);
  });

  test("is judged as a plugin's is, by name", async () => {
    await expect(open({ ...withPackages(nginx, []), facts: 7 })).rejects.toThrow(
      invalid("@hostwright/service-nginx: services[0] (http nginx) facts is not a function"),
    );
    await expect(open({ ...withPackages(nginx, []), type: "other" })).rejects.toThrow(invalid("nginx"));
    await expect(open(null)).rejects.toThrow(invalid("http nginx"));
    expect(readdirSync(stateDir)).toEqual([]);
  });

  test("that no plugin brings is refused", async () => {
    const provides = [provide(PART.service("http", "caddy"), () => withPackages(nginx, []))];
    await expect(createHostwright({ stateDir, plugins: [nginx], provide: provides })).rejects.toThrow(
      invalid('no part named "service http caddy"'),
    );
  });
});
