import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { rounded, slope } from "../bench/figures.ts";

const MB = 1024 * 1024;
const FILES = ["store.db", "store.db-wal", "events.db", "events.db-wal"] as const;

type Files = Readonly<Record<(typeof FILES)[number], number>>;

/** What processes and files measure, in MB, when so many tasks had ended. */
export interface Sample {
  readonly tasks: number;
  readonly submitter: number;
  /** Resident memory by process id, of those that live. */
  readonly workers: Readonly<Record<string, number>>;
  readonly files: Files;
}

export function sample(tasks: number, stateDir: string, pids: readonly number[]): Sample {
  const workers = pids.flatMap((pid) => {
    const mb = residentMb(pid);
    return mb === null ? [] : [[String(pid), mb] as const];
  });
  const files = Object.fromEntries(FILES.map((name) => [name, fileMb(join(stateDir, name))])) as Files;
  return { tasks, submitter: residentMb(process.pid) ?? 0, workers: Object.fromEntries(workers), files };
}

export interface SizeFigures {
  /** Of the first and last sample, and the largest of all. */
  readonly submitterMb: readonly [first: number, last: number, most: number];
  /** Of the worker that lived longest, and the largest of all. */
  readonly workerMb: readonly [first: number, last: number, most: number];
  readonly filesMb: Files;
  /** Rise of the straight line through the sizes of the store and the events. */
  readonly storeBytesPerTask: number;
  readonly eventBytesPerTask: number;
}

export function sizeFigures(samples: readonly Sample[]): SizeFigures {
  const pids = samples.flatMap(({ workers }) => Object.keys(workers));
  const seen = (pid: string): readonly number[] => samples.flatMap(({ workers }) => workers[pid] ?? []);
  const longest = pids.toSorted((a, b) => seen(b).length - seen(a).length)[0] ?? "";
  const rise = (name: keyof Files): number =>
    Math.round(slope(samples.map(({ tasks, files }) => [tasks, files[name] * MB] as const)));
  const ends = (values: readonly number[], all: readonly number[] = values): readonly [number, number, number] => [
    values[0] ?? 0,
    values.at(-1) ?? 0,
    Math.max(...all),
  ];
  const none = Object.fromEntries(FILES.map((name) => [name, 0])) as Files;
  return {
    submitterMb: ends(samples.map(({ submitter }) => submitter)),
    workerMb: ends(seen(longest), pids.flatMap(seen)),
    filesMb: samples.at(-1)?.files ?? none,
    storeBytesPerTask: rise("store.db"),
    eventBytesPerTask: rise("events.db"),
  };
}

function residentMb(pid: number): number | null {
  try {
    const kb = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kb === undefined ? null : rounded(Number(kb) / 1024, 0);
  } catch {
    return null;
  }
}

function fileMb(path: string): number {
  return rounded((statSync(path, { throwIfNoEntry: false })?.size ?? 0) / MB, 2);
}
