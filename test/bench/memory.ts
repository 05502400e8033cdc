import { statSync } from "node:fs";
import { join } from "node:path";
import { FakeInstance } from "../support/fake-instance.ts";
import { heapInUse } from "../support/heap.ts";
import { rounded, slope } from "./figures.ts";

export interface MemoryFigures {
  readonly tasks: number;
  readonly heapStartMb: number;
  readonly heapEndMb: number;
  /** Rise of the straight line through the heap's sizes. */
  readonly bytesPerTask: number;
}

const SERVERS = ["web1", "web2", "web3", "web4"];
const STEPS = 10;
const MB = 1024 * 1024;

/**
 * Works many tasks through one instance, several at once, each tenth of which fails and is undone, while a reader
 * follows its events and one signal hangs over all of them; the heap is measured after a full collection.
 */
export async function benchMemory(tasks: number, say: (line: string) => void): Promise<MemoryFigures> {
  await using instance = await FakeInstance.open(SERVERS);
  const stop = new AbortController();
  let events = 0;
  const reading = (async () => {
    for await (const _event of instance.hw.events({ signal: stop.signal })) events += 1;
  })();
  const sizes: (readonly [number, number])[] = [];
  const step = SERVERS.length * Math.ceil(tasks / STEPS / SERVERS.length);
  let worked = 0;
  const work = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += SERVERS.length) {
      await Promise.all(
        SERVERS.map(async (server, place) =>
          instance.task(server, { fails: (index + place) % 10 === 9, signal: stop.signal }),
        ),
      );
      worked += SERVERS.length;
    }
  };
  // What is loaded and compiled once is no leak.
  await work(step);
  worked = 0;
  const heapStart = await heapInUse();
  for (let block = 1; block <= STEPS; block += 1) {
    const before = process.cpuUsage();
    await work(step);
    const { user, system } = process.cpuUsage(before);
    const rate = step / ((user + system) / 1e6);
    const size = await heapInUse();
    sizes.push([worked, size]);
    const stored = statSync(join(instance.stateDir, "store.db")).size;
    say(
      `${worked} tasks: heap ${(size / MB).toFixed(2)} MB, ${rate.toFixed(0)} tasks per second of CPU, ` +
        `${events} events read, store ${(stored / MB).toFixed(1)} MB`,
    );
  }
  stop.abort();
  await reading;
  return {
    tasks: worked,
    heapStartMb: rounded(heapStart / MB, 2),
    heapEndMb: rounded((sizes.at(-1)?.[1] ?? 0) / MB, 2),
    bytesPerTask: rounded(slope(sizes), 1),
  };
}
