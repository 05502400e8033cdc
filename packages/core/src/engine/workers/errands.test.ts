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
