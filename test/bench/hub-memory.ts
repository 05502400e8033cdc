import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startHosts } from "../hosts/hosts.ts";
import type { Order, Said } from "./hub-memory-child.ts";
import { HOSTILE_SITE, PARTS, PORTS } from "./hub-memory-parts.ts";
import { makeTree } from "./many-files.ts";

export interface HubMemoryOptions extends Omit<Order, "host" | "source" | "parts"> {
  /** Also each part in a process of its own, to tell them apart. */
  readonly apart: boolean;
}

export interface HubMemoryFigures {
  readonly commands: number;
  readonly files: number;
  /** Before the first part: Node, and what is loaded. */
  readonly startMb: number;
  /** The most that a process had that worked this part alone. */
  readonly apartMb: Readonly<Record<string, number>>;
  /** The most that the process that worked all of them had so far. */
  readonly togetherMb: Readonly<Record<string, number>>;
  readonly highestMb: number;
}

/** What the hub may have, whatever servers and sites send. */
export const HUB_MB = 300;

/**
 * How it is started, as docs/operations.md has it: by itself Node takes what the machine has before it collects, and the
 * C library (mallopt(3)) keeps what was freed, for each thread apart.
 */
const BOUNDED = {
  flags: ["--max-old-space-size=128", "--max-semi-space-size=4"],
  env: { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "65536" },
} as const;

const CHILD: string = join(import.meta.dirname, "hub-memory-child.ts");
/** What one part leaves for another. */
const NEEDS: Readonly<Record<string, string>> = { "the tree is read back, file by file": "a tree is published" };

/** What servers and sites may send, as much as they like, and what is sent to them: the hub's memory stays where it is. */
export async function benchHubMemory(
  { apart, ...sizes }: HubMemoryOptions,
  say: (line: string) => void,
): Promise<HubMemoryFigures> {
  await using hosts = await startHosts([{ name: "web" }]);
  const host = hosts.host("web");
  await host.exec(["systemd-run", "--quiet", "perl", "-e", HOSTILE_SITE]);
  await host.sh(`until ss -Hltn 'sport = :${PORTS.deaf}' | grep -q .; do sleep 0.05; done`);
  const source = await mkdtemp(join(tmpdir(), "hostwright-tree-"));
  try {
    await makeTree(source, sizes.files);
    const parts = Object.keys(PARTS);
    const work = async (some: readonly string[]): Promise<readonly Said[]> => {
      // What was published stands as it is the next time: it would not be sent again.
      await host.sh("rm -rf /srv/platforms/bench");
      const { name, address, port, user, hostKey, privateKey } = host;
      return inChild({ ...sizes, source, host: { name, address, port, user, hostKey, privateKey }, parts: some }, say);
    };
    const apartMb: Record<string, number> = {};
    for (const part of apart ? parts : []) {
      const before = NEEDS[part];
      apartMb[part] = (await work(before === undefined ? [part] : [before, part])).at(-1)?.peakMb ?? Number.NaN;
    }
    say("all of them in one process:");
    const [start, ...together] = await work(parts);
    const togetherMb = Object.fromEntries(together.map(({ part, peakMb }) => [part, peakMb]));
    const highestMb = Math.max(...Object.values(apartMb), ...Object.values(togetherMb));
    const { commands, files } = sizes;
    return { commands, files, startMb: start?.peakMb ?? Number.NaN, apartMb, togetherMb, highestMb };
  } finally {
    await rm(source, { recursive: true });
  }
}

async function inChild(order: Order, say: (line: string) => void): Promise<readonly Said[]> {
  const child = spawn(process.execPath, [...BOUNDED.flags, "--conditions=@hostwright/source", CHILD], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...BOUNDED.env },
  });
  const ended = once(child, "exit");
  child.stdin.end(JSON.stringify(order));
  const said: Said[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const one = JSON.parse(line) as Said;
    said.push(one);
    if (one.part !== "start") say(`${one.part}: at most ${one.peakMb} MB`);
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`the hub ended with ${String(code)} after "${said.at(-1)?.part ?? "nothing"}"`);
  return said;
}
