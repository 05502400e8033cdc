import { expect, test } from "vitest";
import { benchHubMemory, HUB_MB } from "./bench/hub-memory.ts";

/** The short form of `npm run bench -- hub-memory`. */
test("whatever servers and sites send, and however little they take, the hub's memory stays where it is", async () => {
  const sizes = { commands: 100, files: 1000, floods: 12, connections: 8, stallMs: 500, apart: false };
  const { startMb, togetherMb, highestMb } = await benchHubMemory(sizes, () => undefined);
  expect(startMb).toBeGreaterThan(0);
  expect(Object.keys(togetherMb).at(-1)).toBe("the tree is read back, file by file");
  // What the collector leaves lying differs from run to run; the command itself holds the bound.
  expect(highestMb).toBeLessThan(HUB_MB * 1.2);
});
