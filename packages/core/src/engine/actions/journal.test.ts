import { beforeEach, expect, onTestFinished, test } from "vitest";
import { FakeEngine, ensureStep } from "../../../test/fake-engine.ts";
import { FakeWorld } from "../../../test/fake-world.ts";
import type { JournalRow, RegisterChanges, RegisteredResource } from "../../contracts/store.ts";
import { HostwrightError } from "../../errors/hostwright-error.ts";
import { Journal } from "./journal.ts";

let engine: FakeEngine;
let world: FakeWorld;
beforeEach(async () => {
  world = new FakeWorld();
  engine = await FakeEngine.open(world, [world.type("file")]);
  onTestFinished(async () => engine[Symbol.asyncDispose]());
});

const held = (key: string, hash: string | null): RegisteredResource => ({
  server: "web1",
  type: "file",
  key,
  owner: "server/web1",
  shared: false,
  hash,
});

test("an outcome that could not be written, and what it registers, waits for the next write", async () => {
  const written: [readonly JournalRow[], RegisterChanges | undefined][] = [];
  let full = false;
  const write = async (rows: readonly JournalRow[], register?: RegisterChanges): Promise<void> => {
    if (full) throw new HostwrightError("HW_STORE_BUSY", "busy");
    written.push([rows, register]);
  };
  const journal = new Journal({ ...engine.store.journal, write }, engine.box);
  const row = (action: number): Parameters<Journal["begin"]>[0] => ({ task: "t", action, phase: "do", attempt: "a" });
  journal.done(row(0), "out", { put: [held("/a", "h")], remove: [held("/b", null)] });
  full = true;
  await expect(journal.begin(row(1), {}, [held("/c", null)])).rejects.toMatchObject({ code: "HW_STORE_BUSY" });
  full = false;
  await journal.begin(row(2), {}, [held("/d", null)]);
  await journal.flush();
  expect(written.map(([rows, register]) => [rows.map(({ action, state }) => `${action} ${state}`), register])).toEqual([
    [["0 done", "2 begun"], { put: [held("/a", "h"), held("/d", null)], remove: [held("/b", null)] }],
  ]);
});

test("a resource is registered before its effect, and with its state by the next commit", async () => {
  const registered: Promise<readonly RegisteredResource[]>[] = [];
  world.onEffect = () => void registered.push(engine.registered("web1"));
  const file = (key: string): Parameters<typeof ensureStep>[1] => [
    { type: "file", spec: { key, value: "x" }, owner: "server/web1" },
  ];
  await engine.carryOut(ensureStep("web1", file("/a")), ensureStep("web1", file("/b")));
  const seen = await Promise.all(registered);
  const hash = expect.any(String) as string;
  expect(seen).toEqual([[held("/a", null)], [held("/a", hash), held("/b", null)]]);
  expect(await engine.registered("web1")).toEqual([held("/a", hash), held("/b", hash)]);
});
