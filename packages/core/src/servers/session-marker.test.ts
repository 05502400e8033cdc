import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SessionMarker } from "./session-marker.ts";

function feed(chunks: readonly Buffer[]): { marker: SessionMarker; output: Buffer } {
  const marker = new SessionMarker();
  const output = Buffer.concat([...chunks.map((chunk) => marker.take(chunk)), marker.end()]);
  return { marker, output };
}

test("however the output is cut, noise and marker go and the command's own bytes stay", async () => {
  const noise = fc.constantFrom("", "motd\n", "\u001e", "\u001ehost", "hostwright ");
  await fc.assert(
    fc.asyncProperty(
      noise,
      fc.uint8Array({ maxLength: 50 }),
      fc.integer({ min: 1, max: 40 }),
      async (before, own, size) => {
        const whole = Buffer.concat([Buffer.from(`${before}\u001ehostwright 4711\n`), own]);
        const count = Math.ceil(whole.length / size);
        const chunks = Array.from({ length: count }, (_, index) => whole.subarray(index * size, (index + 1) * size));
        const { marker, output } = feed(chunks);
        expect(output).toEqual(Buffer.from(own));
        expect(await marker.session).toBe(4711);
      },
    ),
  );
});

test.each(["", "sudo is not here\n", "\u001ehostwright not a number", "x".repeat(70_000)])(
  "output without a marker is given as it is",
  async (text) => {
    const { marker, output } = feed([Buffer.from(text)]);
    expect(output.toString()).toBe(text);
    expect(await marker.session).toBeNull();
  },
);

test("a marker that the command itself prints is its own output", async () => {
  const { output } = feed([Buffer.from("\u001ehostwright 1\n\u001ehostwright 2\n")]);
  expect(output.toString()).toBe("\u001ehostwright 2\n");
});
