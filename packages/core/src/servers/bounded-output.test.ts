import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BoundedOutput } from "./bounded-output.ts";

test("keeps the head of any stream, and knows what was dropped", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.integer({ min: 1, max: 300 }), (chunks, limit) => {
      const output = new BoundedOutput(limit);
      for (const chunk of chunks) output.add(Buffer.from(chunk));
      const whole = Buffer.concat(chunks);
      expect(output.bytes()).toEqual(whole.subarray(0, limit));
      expect([output.total, output.truncated]).toEqual([whole.length, whole.length > limit]);
    }),
  );
});

test("a stream of single bytes costs no more memory than one of large pieces", () => {
  const output = new BoundedOutput(1_000_000);
  const packet = Buffer.alloc(65_536);
  for (let count = 0; count < 200_000; count += 1) output.add(packet.subarray(0, 1));
  expect(output.bytes()).toHaveLength(200_000);
  expect(output.held).toBeLessThanOrEqual(400_000);
  for (let count = 0; count < 100; count += 1) output.add(packet);
  expect(output.held).toBe(1_000_000);
});
