import { expect, test } from "vitest";
import { BoundedOutput, freeBytes } from "./bounded-output.ts";

test("what was outgrown takes no memory until a collection comes by", () => {
  const piece = Buffer.alloc(4000);
  const before = process.memoryUsage().arrayBuffers;
  for (let count = 0; count < 20; count += 1) {
    const output = new BoundedOutput(16_000_000);
    for (let pieces = 0; pieces < 1000; pieces += 1) output.add(piece);
    freeBytes(output.bytes());
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
});
