import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { byBytes, surveyTree } from "./tree-digest.ts";

test("the lines of a digest are in the order of whole paths, though folders are read one by one", async () => {
  const source = await mkdtemp(join(tmpdir(), "tree-digest-"));
  onTestFinished(async () => rm(source, { recursive: true }));
  const folders = ["a", "a/b", "a/b.c", "a.d", "B", "\u{1f600}", "\uff5e"];
  const files = ["a/b/z", "a/b/y", "a/b.c/z", "a.c", "a-c", "a0", "a.d/z", "a/z", "B/a", "\u{1f600}/z", "\uff5e/z"];
  for (const path of folders) await mkdir(join(source, path), { recursive: true });
  for (const path of files) await writeFile(join(source, path), path);
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
  const lines = [
    ...folders.map((path) => ({ path, mark: "d -" })),
    ...files.map((path) => ({ path, mark: `f ${sha256(path)}` })),
  ];
  lines.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  expect((await surveyTree(source)).digest).toBe(sha256(lines.map(({ path, mark }) => `${mark} ${path}\n`).join("")));
});

test("names are put in the order of their bytes, whatever their letters: digests made before stay as they are", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "/", "\u00e9", "\ud7ff", "\ue000", "\uff5e", "\u{1f600}") });
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(Math.sign(byBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});
