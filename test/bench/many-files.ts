import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inTurns } from "../support/in-turns.ts";

const AT_ONCE = 12;
const FILES_A_FOLDER = 500;

/** Paths of a tree of that many files, relative to its folder. */
export function pathsOfTree(files: number): readonly string[] {
  return Array.from({ length: files }, (_, index) => {
    const folder = `a folder of the release, number ${Math.floor(index / FILES_A_FOLDER)}`;
    return `${folder}/a-file-with-a-name-of-usual-length-${index % FILES_A_FOLDER}.php`;
  });
}

/** Every tenth is empty. */
export async function makeTree(source: string, files: number): Promise<void> {
  const paths = pathsOfTree(files);
  for (const folder of new Set(paths.map((path) => dirname(path)))) await mkdir(join(source, folder));
  await inTurns(files, AT_ONCE, async (index) =>
    writeFile(join(source, paths[index] ?? ""), index % 10 === 0 ? "" : `<?php // ${index}\n`),
  );
}
