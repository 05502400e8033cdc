import { readFileSync } from "node:fs";
import { run, runResult } from "./run.ts";

/** Mount points at or below a folder, innermost first. */
export function mountsBelow(folder: string): string[] {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => {
      const point = line
        .split(" ")[4]
        ?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
      return point !== undefined && (point === folder || point.startsWith(`${folder}/`)) ? [point] : [];
    });
  return points.toReversed();
}

export async function mountOverlay(lower: string, upper: string, work: string, target: string): Promise<void> {
  await run("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${lower},upperdir=${upper},workdir=${work}`, target]);
}

export async function mountTmpfs(target: string, size: string): Promise<void> {
  await run("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0755`, "tmpfs", target]);
}

export async function unmountBelow(folder: string): Promise<void> {
  for (const point of mountsBelow(folder)) {
    const result = await runResult("umount", [point]);
    // Someone still looks at it (a test's open file): detach it, so that it goes when they do.
    if (result.code !== 0 && mountsBelow(folder).includes(point)) await run("umount", ["--lazy", point]);
  }
}
