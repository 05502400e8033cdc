import { describe, expect, test } from "vitest";
import { runStep } from "../../test/fake-engine.ts";
import { FakeServer } from "../../test/fake-world.ts";
import { folder, gate, openOwn, own, type OwnFacade } from "../../test/own-facade.ts";
import { provide } from "../di/provider.ts";
import type { TaskDraft } from "../contracts/task.ts";
import { createHostwright } from "../hostwright.ts";
import { local, type ServerRecord } from "../model/records.ts";
import { PART } from "../parts.ts";
import { prepare } from "../tasks/prepare-server.ts";

const twice = (server: ServerRecord): ReturnType<typeof draft> => draft(server, "first", "second");
const draft = (server: ServerRecord, ...names: string[]) => ({
  steps: names.map((name) => ({ ...runStep("web1", name), server })),
});
const codeOf = async (call: () => unknown): Promise<string> => {
  try {
    await call();
    return "done";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

async function underWay(first = gate()): Promise<OwnFacade & { readonly first: typeof first }> {
  return { ...(await openOwn({ first: first.operation, second: {} }, { draft: twice })), first };
}

describe("closing", () => {
  test.each(["the application", "an actor"])("waits for what %s runs, to its end", async (who) => {
    const { hw, first } = await underWay();
    const running = (who === "an actor" ? hw.as({ id: "ann" }) : hw).run(own("a"));
    await first.reached;
    const closing = hw[Symbol.asyncDispose]();
    first.open();
    await closing;
    expect(await running).toEqual({});
  });

  test("ends a worker that nobody disposed: what it has is handed over at its next boundary, for the next to go on", async () => {
    const { hw, first, stateDir } = await underWay();
    hw.work();
    const { id } = await hw.submit(own("a"));
    await first.reached;
    const closing = hw[Symbol.asyncDispose]();
    first.open();
    await closing;
    const next = await openOwn({ first: {}, second: {} }, { stateDir, draft: twice });
    expect(await next.engine.store.tasks.state(id)).toBe("running");
    await using _working = next.hw.work();
    expect(await next.hw.task(id).outcome()).toMatchObject({ state: "succeeded" });
  });

  test("hands over what only waits for others, and says where it goes on", async () => {
    const { hw, first, engine, stateDir } = await underWay();
    await engine.store.leases.acquire("t-other", "elsewhere", [{ scope: "site/a", mode: "exclusive" }]);
    const running = codeOf(async () => hw.run(own("a"), { onEvent: ({ type }) => type === "task:waiting" && wait() }));
    const { promise: waits, resolve: wait } = Promise.withResolvers<void>();
    await waits;
    await hw[Symbol.asyncDispose]();
    expect(await running).toBe("HW_CLOSED");
    first.open();
    const next = await openOwn({ first: {}, second: {} }, { stateDir, draft: twice });
    await next.engine.store.leases.release("t-other");
    await using _working = next.hw.work();
    const [task] = (await next.hw.tasks.list()).tasks;
    expect(await next.hw.task(task?.id ?? "").outcome()).toMatchObject({ state: "succeeded" });
  });

  test("ends whatever waits: outcomes, event streams, a plan whose server never opens", async () => {
    const asked = Promise.withResolvers<void>();
    const never = provide(PART.openServer, () => async () => {
      asked.resolve();
      return new Promise<never>(() => undefined);
    });
    const hw = await createHostwright({ stateDir: folder(), plugins: [], provide: [never] });
    await hw.servers.put({ name: "web1", connect: local(), services: [] });
    const { id } = await hw.submit(prepare("web1"));
    const streams = [hw.events({ after: "now" }), hw.task(id).events(), hw.as({ id: "ann" }).events({ after: "now" })];
    const ended = streams.map(async (stream) => {
      for await (const event of stream) expect(event.type).toBe("task:submitted");
      return "ended";
    });
    const waiting = [hw.task(id).outcome(), hw.task(id).result(), hw.plan(prepare("web1"))];
    const codes = Promise.all(waiting.map(async (one) => codeOf(async () => one)));
    await asked.promise;
    await hw[Symbol.asyncDispose]();
    expect(await codes).toEqual(["HW_CLOSED", "HW_CLOSED", "HW_CLOSED"]);
    expect(await Promise.all(ended)).toEqual(["ended", "ended", "ended"]);
  });

  test("closes everything though something of it cannot be closed, and warns", async () => {
    const servers: FakeServer[] = [];
    const openServer = provide(PART.openServer, () => async ({ name }: ServerRecord) => {
      const server = new FakeServer(name);
      if (name === "web1") server.close = async () => Promise.reject(new Error("it hangs up badly"));
      servers.push(server);
      return server;
    });
    const both = (): Pick<TaskDraft, "steps"> => ({
      steps: made.map((one) => ({ ...runStep(one.name, "any"), server: one })),
    });
    const made: ServerRecord[] = [];
    const { hw, engine } = await openOwn({ any: {} }, { provide: [openServer], draft: both });
    for (const name of ["web1", "web2"]) made.push(await hw.servers.put({ name, connect: local() }));
    await hw.run(own("a"));
    const warned = new Promise<Error>((resolve) => void process.once("warning", resolve));
    await hw[Symbol.asyncDispose]();
    expect((await warned).message).toBe("it hangs up badly");
    expect(servers.map(({ name, closed }) => [name, closed])).toEqual([
      ["web1", false],
      ["web2", true],
    ]);
    await expect(engine.store.identity()).rejects.toMatchObject({ code: "HW_CLOSED" });
  });

  test("again gives the same closing", async () => {
    const { hw, first } = await underWay();
    const running = hw.run(own("a"));
    await first.reached;
    let isOver = false;
    void running.then(() => (isOver = true));
    const closings = [hw[Symbol.asyncDispose](), hw[Symbol.asyncDispose]()];
    first.open();
    await closings[1];
    expect(isOver).toBe(true);
    await closings[0];
  });
});

test("a plan that its caller gives up is cancelled, though its server never opens", async () => {
  const asked = Promise.withResolvers<void>();
  const never = provide(PART.openServer, () => async () => {
    asked.resolve();
    return new Promise<never>(() => undefined);
  });
  await using hw = await createHostwright({ stateDir: folder(), plugins: [], provide: [never] });
  await hw.servers.put({ name: "web1", connect: local(), services: [] });
  const stop = new AbortController();
  const planning = codeOf(async () => hw.plan(prepare("web1"), { signal: stop.signal }));
  await asked.promise;
  stop.abort();
  expect(await planning).toBe("HW_CANCELLED");
});

test("after closing every method of the facade, of its records and of its handles is refused with one code", async () => {
  const { hw } = await openOwn();
  const ann = hw.as({ id: "ann" });
  const task = await hw.submit(own("a"));
  await hw[Symbol.asyncDispose]();
  const parts = { hw, ann, servers: hw.servers, platforms: ann.platforms, sites: hw.sites, tasks: ann.tasks, task };
  const answers: Record<string, string> = {};
  for (const [name, part] of Object.entries(parts)) {
    for (const method of Object.getOwnPropertyNames(Object.getPrototypeOf(part)).filter(
      (one) => one !== "constructor",
    )) {
      const call = (part as unknown as Record<string, (...args: unknown[]) => unknown>)[method];
      answers[`${name}.${method}`] = await codeOf(async () => {
        const result = await call?.("web1", {});
        if (typeof result === "object" && result !== null && "next" in result) await (result as AsyncGenerator).next();
      });
    }
  }
  expect(Object.keys(answers).length).toBeGreaterThan(35);
  expect(new Set(Object.values(answers))).toEqual(new Set(["HW_CLOSED"]));
});

describe("a server that cannot be opened", () => {
  test("is opened by whoever asks next; its record is put and the instance closed all the same", async () => {
    let tries = 0;
    const openServer = provide(PART.openServer, () => async ({ name }: ServerRecord) => {
      if (++tries === 1) throw new Error("the cloud answered 503");
      return new FakeServer(name);
    });
    const { hw } = await openOwn({ any: {} }, { provide: [openServer], draft: (server) => draft(server, "any") });
    await expect(hw.run(own("a"))).rejects.toThrow("the cloud answered 503");
    expect(await hw.connections()).toEqual([]);
    expect(await hw.run(own("a"))).toEqual({});
    await hw.servers.put({ name: "web1", connect: local(), addresses: ["192.0.2.1"] });
    await hw[Symbol.asyncDispose]();
  });
});
