import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Runs `work` while holding an exclusive lock on a file. The kernel's lock is held by a small child that ends when our
 * end of its pipe closes, so the lock is free again whatever way this process ends.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const holder = spawn("flock", ["--exclusive", file, "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  holder.stdin.on("error", () => {});
  const ended = new Promise<void>((resolve) => holder.once("close", () => resolve()));
  const waiting = onWait === undefined ? undefined : setTimeout(onWait, 1000);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.once("error", (error) =>
        reject(new Error(`cannot lock ${file} (is util-linux's flock installed?)`, { cause: error })),
      );
      holder.once("exit", (code) => reject(new Error(`cannot lock ${file}: flock ended with exit code ${code}`)));
      holder.stdout.once("data", () => resolve());
    });
  } finally {
    clearTimeout(waiting);
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
