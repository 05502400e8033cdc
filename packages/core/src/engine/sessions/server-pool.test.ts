import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { serverRecord } from "../../../test/fake-engine.ts";
import { FakeServer } from "../../../test/fake-world.ts";
import type { ServerRecord } from "../../model/records.ts";
import { Secret } from "../../model/secret.ts";
import { ServerPool } from "./server-pool.ts";
import { Session } from "./session.ts";

class Counted extends FakeServer {
  closes = 0;

  override async close(): Promise<void> {
    this.closes += 1;
  }
}

const here = serverRecord("web1");
const there: ServerRecord = {
  ...here,
  connect: { type: "ssh", host: "there.example", port: 22, user: "root", hostKeys: [] },
};

let opened: Counted[];
let pool: ServerPool;

beforeEach(() => {
  opened = [];
  pool = new ServerPool(
    async ({ name }) => {
      const server = new Counted(name);
      opened.push(server);
      return server;
    },
    async () => new Secret(""),
  );
});

async function closed(): Promise<number[]> {
  await turn();
  return opened.map((server) => server.closes);
}

describe("a record whose connection changes", () => {
  test("gives new work a new connection, and leaves the old one to what is under way until that is done", async () => {
    const old = await pool.hold(here);
    const [again, fresh] = [await pool.hold(here), await pool.hold(there)];
    expect(again.server).toBe(old.server);
    expect(fresh.server).not.toBe(old.server);
    old[Symbol.dispose]();
    // Twice is once.
    old[Symbol.dispose]();
    expect(await closed()).toEqual([0, 0]);
    again[Symbol.dispose]();
    expect(await closed()).toEqual([1, 0]);
  });

  test("is the old one still for a task that began with it, and takes nothing from the new one", async () => {
    const old = await pool.hold(here);
    const fresh = await pool.hold(there);
    const undo = await pool.hold(here);
    expect(undo.server).toBe(old.server);
    expect((await pool.hold(there)).server).toBe(fresh.server);
    expect(await closed()).toEqual([0, 0]);
  });

  test("closes at once what nobody holds, and keeps the newest for who comes", async () => {
    (await pool.hold(here))[Symbol.dispose]();
    expect(await closed()).toEqual([0]);
    (await pool.hold(there))[Symbol.dispose]();
    expect(await closed()).toEqual([1, 0]);
  });
});

test("a task keeps the connection that it began with until it is done, its undo included", async () => {
  const load = async (): Promise<Map<string, string>> => new Map();
  const session = new Session({ pool, load, fence: null, signal: new AbortController().signal });
  const { server } = await session.target(here);
  await pool.hold(there);
  {
    await using undo = session.apart();
    expect((await undo.target(here)).server).toBe(server);
  }
  expect((await session.target(here)).server).toBe(server);
  expect(await closed()).toEqual([0, 0]);
  await session[Symbol.asyncDispose]();
  expect(await closed()).toEqual([1, 0]);
});

test("a session asks again for a server that could not be opened", async () => {
  let tries = 0;
  const failing = new ServerPool(
    async ({ name }) => {
      tries += 1;
      if (tries === 1) throw new Error("it is being made");
      return new Counted(name);
    },
    async () => new Secret(""),
  );
  const load = async (): Promise<Map<string, string>> => new Map();
  await using session = new Session({ pool: failing, load, fence: null, signal: new AbortController().signal });
  await expect(session.target(here)).rejects.toThrow("it is being made");
  expect((await session.target(here)).server.name).toBe("web1");
});

test("a forgotten server is opened anew for new work, and closed when the work with it is done", async () => {
  const old = await pool.hold(here);
  pool.forget(here.id);
  expect((await pool.hold(here)).server).not.toBe(old.server);
  expect(await closed()).toEqual([0, 0]);
  old[Symbol.dispose]();
  expect(await closed()).toEqual([1, 0]);
});

test("a server that could not be opened is tried again, and stops no close", async () => {
  let tries = 0;
  const failing = new ServerPool(
    async () => {
      tries += 1;
      throw new Error(`try ${tries}`);
    },
    async () => new Secret(""),
  );
  await expect(failing.hold(here)).rejects.toThrow("try 1");
  await expect(failing.hold(here)).rejects.toThrow("try 2");
  expect(failing.opened()).toEqual([]);
  await failing.close();
});

test("closing waits for no server that is still being opened, and closes it when it is open", async () => {
  const { promise, resolve } = Promise.withResolvers<Counted>();
  const slow = new ServerPool(
    async () => promise,
    async () => new Secret(""),
  );
  const holding = slow.hold(here);
  await slow.close();
  const server = new Counted("web1");
  resolve(server);
  await holding;
  await expect.poll(() => server.closes).toBe(1);
});
