import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { StoreHarness } from "./harness.ts";

export interface Child {
  /** What it said so far. */
  readonly lines: readonly string[];
  /** Waits until it said so many lines. */
  said(count: number): Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Waits until it ended well; all that it said. */
  ended(): Promise<readonly string[]>;
}

export type Scenario = readonly [name: string, ...args: string[]];

const SCRIPT = fileURLToPath(new URL("child.ts", import.meta.url));

/** Starts a process for each scenario of child.ts; they begin together, once all have opened the store. */
export async function race(harness: StoreHarness, scenarios: readonly Scenario[]): Promise<readonly Child[]> {
  const started = scenarios.map((scenario) => start(harness, scenario));
  const children = await Promise.all(started.map(async ({ ready }) => ready));
  for (const { go } of started) go();
  return children;
}

function start({ child: opener }: StoreHarness, scenario: Scenario): { ready: Promise<Child>; go: () => void } {
  if (opener === null) throw new Error("This store was not declared as lacking processes, but no child can open it.");
  const options = JSON.stringify(opener.options);
  const argv = ["--conditions=@hostwright/source", SCRIPT, opener.module, opener.function, options, ...scenario];
  const child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  let isReady = false;
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  createInterface(child.stdout).on("line", (line) => {
    if (isReady) lines.push(line);
    isReady = true;
  });
  let closed = false;
  const close = new Promise<number | null>((resolve) => child.on("close", resolve)).finally(() => (closed = true));

  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      if (closed) throw new Error(`The child ended too early: ${errors}`);
      await sleep(2);
    }
  };
  const handle: Child = {
    lines,
    said: async (count) => until(() => lines.length >= count),
    async kill() {
      child.kill("SIGKILL");
      await close;
    },
    async ended() {
      const code = await close;
      if (code !== 0) throw new Error(`The child failed: ${errors}`);
      return lines;
    },
  };
  const ready = until(() => isReady).then(() => handle);
  return { ready, go: () => child.stdin.end("go\n") };
}
