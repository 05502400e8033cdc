import { expect, test } from "vitest";
import { Errands } from "./errands.ts";

test("no more than eight errands are run at once, each name once, and one that fails keeps no other waiting", async () => {
  const errands = new Errands();
  const begun: string[] = [];
  const gates = Array.from({ length: 20 }, () => Promise.withResolvers<void>());
  const run = (index: number): void =>
    errands.run(`task${index}`, async () => {
      begun.push(`task${index}`);
      await gates[index]?.promise;
    });
  for (const index of [...gates.keys(), ...gates.keys()]) run(index);
  const counted = async (count: number): Promise<void> => expect.poll(() => begun.length, { interval: 1 }).toBe(count);
  await counted(8);
  gates[0]?.reject(new Error("the recovery failed"));
  gates[1]?.resolve();
  await counted(10);
  for (const gate of gates) gate.resolve();
  await errands.settled();
  expect(begun).toEqual(Array.from(gates.keys(), (index) => `task${index}`));
  // What has ended may be asked for again.
  run(0);
  await counted(21);
});

test("who only waits keeps nobody else from working, and has a place again when it goes on", async () => {
  const errands = new Errands();
  const gates = Array.from({ length: 9 }, () => Promise.withResolvers<void>());
  const ended: number[] = [];
  for (const [index, gate] of gates.entries())
    errands.run(`batch${index}`, async (rest) => {
      await rest(async () => gate.promise);
      ended.push(index);
    });
  const other = Promise.withResolvers<void>();
  errands.run("task", async () => other.resolve());
  await other.promise;
  expect(ended).toEqual([]);
  for (const gate of gates) gate.resolve();
  await errands.settled();
  expect(ended).toHaveLength(9);
});
