import type { CrashCase } from "./cases.ts";
import type { Crash, CrashMatrix, Recording, Way } from "./matrix.ts";
import { sampleOf } from "./sample.ts";

export interface Extent {
  readonly seed: string;
  /** Crashes of each case, undos included; null: every point. */
  readonly points: number | null;
  /** Only crashes at points with this in their name; default all. */
  readonly at: string;
  /** Of each case, crashes whose recovery crashes too. */
  readonly doubles: number;
}

export interface Failure {
  readonly task: string;
  readonly point: string;
  readonly why: string;
}

/** What came of one case. */
export interface CaseFigures {
  readonly boundaries: number;
  readonly tried: number;
  readonly failed: readonly Failure[];
}

export type Say = (line: string) => void;

/** Records a case, then crashes it at its points, one after the other. */
export async function runCase(
  matrix: CrashMatrix,
  crashCase: CrashCase,
  extent: Extent,
  say: Say,
): Promise<CaseFigures> {
  const began = performance.now();
  const failed: Failure[] = [];
  let tried = 0;
  const fail = (point: string, error: unknown): void => {
    const why = error instanceof Error ? error.message : String(error);
    failed.push({ task: crashCase.name, point, why });
    say(`FAILED ${crashCase.name}: ${point}\n${why}`);
  };
  let recording: Recording;
  try {
    recording = await matrix.record(crashCase);
  } catch (error) {
    fail("without a crash", error);
    return { boundaries: 0, tried: 0, failed };
  }
  const all = crashesOf(recording).filter((crash) => nameOf(crash).includes(extent.at));
  const singles = extent.points === null ? all : sampleOf(all, extent.points, `${extent.seed}/${crashCase.name}`);
  say(`${crashCase.name}: ${all.length} points, ${singles.length} to try`);
  const attempt = async (crash: Crash): Promise<void> => {
    const problem = await matrix.try(crashCase, recording, crash);
    tried += 1;
    if (problem !== null) {
      fail(nameOf(crash), problem);
      // The server is another one now, whose sites have other ids.
      recording = await matrix.record(crashCase);
    }
    if (tried % 25 === 0) say(`${crashCase.name}: ${tried} tried, ${failed.length} failed, ${secondsSince(began)} s`);
  };
  let doubles: readonly Crash[] = [];
  try {
    for (const crash of singles) await attempt(crash);
    doubles = await doubleCrashes(matrix, crashCase, all, extent);
    for (const crash of doubles) await attempt(crash);
  } catch (error) {
    fail("without a crash", error);
  }
  const remains = await matrix.remains(crashCase, recording).catch(String);
  if (remains !== "") fail("after all crashes", remains);
  const boundaries = all.length + doubles.length;
  say(`${crashCase.name}: ${tried} of ${boundaries} tried, ${failed.length} failed, ${secondsSince(began)} s`);
  return { boundaries, tried, failed };
}

function crashesOf({ points }: Recording): readonly Crash[] {
  return (["done", "undone"] as const satisfies readonly Way[]).flatMap((way) =>
    points[way].map((first): Crash => ({ way, first })),
  );
}

/** For some points, some points of what recovers from them. */
async function doubleCrashes(
  matrix: CrashMatrix,
  crashCase: CrashCase,
  all: readonly Crash[],
  { seed, doubles }: Extent,
): Promise<readonly Crash[]> {
  const seeded = `${seed}/${crashCase.name}/two`;
  const firsts = sampleOf(all, Math.ceil(doubles / 3), seeded);
  const found: Crash[] = [];
  for (const crash of firsts) {
    const seconds = await matrix.recordRecovery(crashCase, crash);
    found.push(...sampleOf(seconds, 3, `${seeded}/${nameOf(crash)}`).map((second): Crash => ({ ...crash, second })));
  }
  return sampleOf(found, doubles, seeded);
}

export function nameOf({ way, first, second }: Crash): string {
  const then = second === undefined ? "" : `, then ${second.name} of its recovery`;
  return `${way === "undone" ? "cancelled at its commit, " : ""}${first.name}${then}`;
}

function secondsSince(began: number): number {
  return Math.round((performance.now() - began) / 1000);
}
