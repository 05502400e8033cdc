import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { surveyTree } from "./tree-digest.ts";

test("a tree takes the same memory however many files it has, empty ones as well", async () => {
  const source = await mkdtemp(join(tmpdir(), "tree-digest-"));
  onTestFinished(async () => rm(source, { recursive: true }));
  for (let made = 0; made < 2000; made += 1) await writeFile(join(source, String(made)), "");
  const buffers = (): number => process.memoryUsage().arrayBuffers;
  const before = buffers();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, buffers() - before)), 1);
  await surveyTree(source);
  clearInterval(watch);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(8_000_000);
});
